"""A connection: its ends, their names, and the environment of the program. Never looks any of it up."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from ..address import is_ipv6


class Endpoints(NamedTuple):
    """Both ends of a connection: canonical addresses and decimal ports, as the program's variables have them."""

    local_ip: bytes
    local_port: bytes
    remote_ip: bytes
    remote_port: bytes


class Names(NamedTuple):
    """The names of both ends; None where none was found or none was looked up.

    local_host, remote_host: from DNS, or -l. remote_info: the ident answer (RFC 1413); an empty one is an answer.
    """

    local_host: bytes | None
    remote_host: bytes | None
    remote_info: bytes | None


def environ(
    base: Mapping[bytes, bytes],
    endpoints: Endpoints,
    names: Names,
    variables: Iterable[tuple[bytes, bytes]] = (),
) -> dict[bytes, bytes]:
    """Build the environment of the program (tcpserver.c, doit).

    base: the server's own, which stays as it is. endpoints, names: become TCPREMOTEIP and its like; of an unknown name
    the variable is removed, even where base has it. An IPv6 connection has TCP6* as well, and PROTO=TCP6. variables:
    (name, value) pairs of the client's rule, which come last.
    """
    environment = dict(base)
    environment[b"PROTO"] = b"TCP"
    _tell(environment, b"TCP", endpoints, names)
    if is_ipv6(endpoints.remote_ip):
        environment[b"PROTO"] = b"TCP6"
        _tell(environment, b"TCP6", endpoints, names)
    environment.update(variables)
    return environment


def _tell(environment: dict[bytes, bytes], proto: bytes, endpoints: Endpoints, names: Names) -> None:
    environment[proto + b"LOCALIP"] = endpoints.local_ip
    environment[proto + b"LOCALPORT"] = endpoints.local_port
    environment[proto + b"REMOTEIP"] = endpoints.remote_ip
    environment[proto + b"REMOTEPORT"] = endpoints.remote_port
    _put(environment, proto + b"LOCALHOST", names.local_host)
    _put(environment, proto + b"REMOTEHOST", names.remote_host)
    _put(environment, proto + b"REMOTEINFO", names.remote_info)


def _put(environment: dict[bytes, bytes], name: bytes, value: bytes | None) -> None:
    if value is None:
        environment.pop(name, None)
    else:
        environment[name] = value
