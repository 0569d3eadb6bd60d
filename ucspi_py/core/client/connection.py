"""The nouns of a connection and what the program is told of it. Never learns any of it by itself."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from ..address import is_ipv6


class Endpoints(NamedTuple):
    """Both ends of a connection: canonical addresses and decimal ports, as bytes."""

    local_ip: bytes
    local_port: bytes
    remote_ip: bytes
    remote_port: bytes


class Names(NamedTuple):
    """What was found out about the ends; None where nothing was found or nothing was asked.

    remote_info: the ident answer (RFC 1413); an empty one is an answer.
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
    """The environment of the program (tcpserver.c, doit): base, then the connection, then the rule's variables.

    What is unknown is removed even where base has it. An IPv6 connection is told under TCP6* as well, PROTO=TCP6.
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
