"""A server of the operator's that the gate asks, on a Unix socket or a TCP port: the word for it, as a value."""

from typing import NamedTuple

from .. import numbers
from ..address import literal
from .language import values

_LOCALHOST = "localhost"


class UnixServer(NamedTuple):
    """A socket in the file system. path: as it is written."""

    path: str


class InetServer(NamedTuple):
    """A TCP port. host: an address or a name."""

    host: str
    port: int


Server = UnixServer | InetServer


def parse_server(text: str, what: str) -> Server:
    """Parse ``unix:PATH`` or ``inet:HOST:PORT``. what: is said of it where it is neither. Raises ValueError."""
    kind, colon, rest = text.partition(":")
    if kind == "unix" and rest:
        return UnixServer(rest)
    if kind != "inet" or not colon:
        raise ValueError(f"{what} is unix:PATH or inet:HOST:PORT, and not '{text}'")
    host, _, port_text = rest.rpartition(":")
    port = numbers.port(port_text)
    if port is None:
        raise ValueError(f"{what} has a number as its port, and '{text}' has none")
    host = host.removeprefix("[").removesuffix("]") or _LOCALHOST
    return InetServer(literal(host) or values.host_name(host).decode("ascii"), port)
