"""The client on 0 and 1 as one socket. Never looks at what it says."""

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from ..process.descriptors import is_socket

#: Seconds that a client behind pipes has for its last replies.
_LAST_REPLIES = 10.0


@contextmanager
def client_socket() -> Iterator[socket.socket]:
    """Make one socket of the client's two descriptors.

    Where they are not one socket, but pipes of a program between us and it (recordio, a TLS server), threads copy. The
    last replies are waited for.
    """
    if _is_one_socket():
        with socket.socket(fileno=os.dup(0)) as client:
            yield client
        return
    ours, theirs = socket.socketpair()
    said = threading.Thread(target=_copy_in, args=(theirs,), daemon=True)
    replies = threading.Thread(target=_copy_out, args=(theirs,), daemon=True)
    said.start()
    replies.start()
    try:
        with ours:
            yield ours
    finally:
        replies.join(_LAST_REPLIES)


def _copy_in(theirs: socket.socket) -> None:
    """Copy what the client says until either end is gone; then we learn of it."""
    _copy(0, theirs.fileno())
    _shut(theirs, socket.SHUT_WR)


def _copy_out(theirs: socket.socket) -> None:
    """Copy what we say until either end is gone; then the other learns of it."""
    _copy(theirs.fileno(), 1)
    _shut(theirs, socket.SHUT_RDWR)
    os.close(1)


def _copy(source: int, target: int) -> None:
    try:
        while data := os.read(source, 65536):
            while data:
                data = data[os.write(target, data) :]
    except OSError:
        pass


def _shut(connected: socket.socket, how: int) -> None:
    try:
        connected.shutdown(how)
    except OSError:
        pass  # the other end has gone first


def _is_one_socket() -> bool:
    return is_socket(0) and is_socket(1) and os.path.sameopenfile(0, 1)
