"""The listening socket on which scrapers ask. Never accepts."""

import socket

from ...core.metrics.settings import TcpPort, UnixSocket
from ..accept import listener, unix_listener
from ..accept.unix_listener import Access
from .teller import BACKLOG

#: Who may connect to a path.
_MODE = 0o660


def listen(place: TcpPort | UnixSocket, uid: int | None, gid: int | None) -> socket.socket:
    """Listen. uid, gid: whose a socket at a path is; None = ours. Raises Failure."""
    if isinstance(place, UnixSocket):
        return unix_listener.listen(place.path, socket.SOCK_STREAM, BACKLOG, Access(_MODE, uid, gid))
    return listener.listen(place.ip, place.port, BACKLOG)


def leave(place: TcpPort | UnixSocket | None) -> None:
    """Remove a socket at a path, if we may."""
    if isinstance(place, UnixSocket):
        unix_listener.remove(place.path)
