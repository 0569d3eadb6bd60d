"""Where a service shows its numbers, frozen. Never listens there."""

import posixpath
from dataclasses import dataclass
from typing import NamedTuple

from .. import numbers
from ..address import literal
from ..errors import AskedWrongly

#: sun_path (unix(7)) with its NUL.
_PATH_LIMIT = 108


class UnixSocket(NamedTuple):
    """A socket in the file system. path: absolute."""

    path: str


class TcpPort(NamedTuple):
    """A TCP port. ip: an address."""

    ip: str
    port: int


@dataclass(frozen=True, slots=True)
class MetricsSettings:
    """Where scrapers ask, and the file that is written for them; None = there is none, but not both."""

    place: UnixSocket | TcpPort | None = None
    file: str | None = None


def place(text: str) -> UnixSocket | TcpPort:
    """Read a place: ``unix:PATH``, PATH absolute, or ``ADDRESS:PORT``, an IPv6 address in brackets.

    Raises AskedWrongly.
    """
    if text.startswith("unix:"):
        return socket_path("--metrics", text.removeprefix("unix:"))
    host, _, port_text = text.rpartition(":")
    ip, port = literal(host.removeprefix("[").removesuffix("]")), numbers.port(port_text)
    if ip is None or port is None:
        raise AskedWrongly(f"--metrics takes unix:PATH or ADDRESS:PORT, not '{text}'")
    return TcpPort(ip, port)


def socket_path(option: str, path: str) -> UnixSocket:
    """Read the path of a socket. option: where it stands. Raises AskedWrongly."""
    if not posixpath.isabs(path):
        raise AskedWrongly(f"{option} takes an absolute path, not '{path}'")
    if len(path.encode(errors="surrogateescape")) >= _PATH_LIMIT:
        raise AskedWrongly(f"the path of a socket has {_PATH_LIMIT - 1} bytes at most: {path}")
    return UnixSocket(path)
