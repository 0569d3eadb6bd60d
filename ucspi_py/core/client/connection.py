"""A connection: its ends, their names, and the environment of the program. Never looks any of it up."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from ..address import is_ipv6

#: The id of a connection, named as CGI has it (Apache's mod_unique_id).
UNIQUE_ID = b"UNIQUE_ID"


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
    _tell(environment, _TCP, endpoints, names)
    if is_ipv6(endpoints.remote_ip):
        environment[b"PROTO"] = b"TCP6"
        _tell(environment, _TCP6, endpoints, names)
    environment.update(variables)
    return environment


#: The variables of endpoints and names, in the order of their fields.
_TCP = tuple(b"TCP" + field.replace("_", "").upper().encode() for field in Endpoints._fields + Names._fields)
_TCP6 = tuple(b"TCP6" + name.removeprefix(b"TCP") for name in _TCP)


def _tell(environment: dict[bytes, bytes], variables: tuple[bytes, ...], endpoints: Endpoints, names: Names) -> None:
    local_ip, local_port, remote_ip, remote_port, local_host, remote_host, remote_info = variables
    environment[local_ip], environment[local_port], environment[remote_ip], environment[remote_port] = endpoints
    _put(environment, local_host, names.local_host)
    _put(environment, remote_host, names.remote_host)
    _put(environment, remote_info, names.remote_info)


def _put(environment: dict[bytes, bytes], name: bytes, value: bytes | None) -> None:
    if value is None:
        environment.pop(name, None)
    else:
        environment[name] = value
