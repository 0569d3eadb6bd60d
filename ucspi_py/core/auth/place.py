"""Where a daemon that checks passwords listens, as Postfix writes it. Never looks whether it does.

Source: xsasl_dovecot_server.c, xsasl_dovecot_server_connect.
"""

import posixpath
from typing import NamedTuple

from .. import numbers
from ..address import literal
from ..errors import AskedWrongly

#: sun_path (unix(7)) with its NUL.
_PATH_LIMIT = 108


class UnixPlace(NamedTuple):
    """A socket in the file system. path: absolute."""

    path: str

    def __str__(self) -> str:
        return self.path


class InetPlace(NamedTuple):
    """A TCP port. ip: an address."""

    ip: str
    port: int

    def __str__(self) -> str:
        return f"inet:[{self.ip}]:{self.port}" if ":" in self.ip else f"inet:{self.ip}:{self.port}"


Place = UnixPlace | InetPlace


def place(text: str, queue_directory: str) -> Place:
    """Read a place: PATH, unix:PATH, or inet:ADDRESS:PORT; a relative PATH is one in the queue directory.

    Raises AskedWrongly.
    """
    if text.startswith("inet:"):
        return _inet(text)
    path = posixpath.join(queue_directory, text.removeprefix("unix:"))
    if len(path.encode(errors="surrogateescape")) >= _PATH_LIMIT:
        raise AskedWrongly(f"the path of a socket has {_PATH_LIMIT - 1} bytes at most: {path}")
    return UnixPlace(path)


def _inet(text: str) -> InetPlace:
    host, _, port_text = text.removeprefix("inet:").rpartition(":")
    ip, port = literal(host.removeprefix("[").removesuffix("]")), numbers.port(port_text)
    if ip is None:
        raise AskedWrongly(f"passwords go to an address, not to a name for which others may answer: {text}")
    if port is None:
        raise AskedWrongly(f"there is no such port: {text}")
    return InetPlace(ip, port)
