"""The client on 0 and 1 as one socket. Never looks at what it says."""

import os
import socket
import stat
import threading


def client_socket() -> socket.socket:
    """Make one socket of the client's two descriptors.

    Where they are no socket, but pipes of a program between us and it (recordio, a TLS server), threads copy.
    """
    if _is_socket(0) and _is_socket(1):
        return socket.socket(fileno=os.dup(0))
    ours, theirs = socket.socketpair()
    for source, target in ((0, theirs.fileno()), (theirs.fileno(), 1)):
        threading.Thread(target=_copy, args=(source, target, theirs), daemon=True).start()
    return ours


def _copy(source: int, target: int, theirs: socket.socket) -> None:
    """Copy until either end is gone; then the other side learns of it."""
    try:
        while data := os.read(source, 65536):
            while data:
                data = data[os.write(target, data) :]
    except OSError:
        pass
    if source == 0:
        theirs.shutdown(socket.SHUT_WR)
    else:
        os.close(target)


def _is_socket(fd: int) -> bool:
    try:
        return stat.S_ISSOCK(os.fstat(fd).st_mode)
    except OSError:
        return False
