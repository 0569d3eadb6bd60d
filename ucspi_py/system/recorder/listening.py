"""The socket where the recorder is asked, at a path. Never takes one over from a recorder that runs."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager

from ..accept import unix_listener

_BACKLOG = 1024


@contextmanager
def listening(path: str) -> Iterator[socket.socket]:
    """Listen at a path, for every user; the socket is removed at the end.

    Whoever has logged in may ask; what counts is proven otherwise. Raises Failure where another recorder listens there,
    or something else is in its place.
    """
    with unix_listener.listen(path, socket.SOCK_SEQPACKET, _BACKLOG) as listener:
        try:
            yield listener
        finally:
            unix_listener.remove(path)
