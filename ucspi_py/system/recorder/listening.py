"""The socket where the recorder is asked, at a path. Never takes one over from a recorder that runs."""

import contextlib
import os
import socket
import stat
from collections.abc import Iterator
from contextlib import contextmanager

from ...core.errors import Failure, unable

_BACKLOG = 1024


@contextmanager
def listening(path: str) -> Iterator[socket.socket]:
    """Listen at a path, for every user; the socket is removed at the end.

    Raises Failure where another recorder listens there, or something else is in its place.
    """
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listener:
        _remove_dead(path)
        try:
            listener.bind(path)
            os.chmod(path, 0o666)  # noqa: S103  whoever has logged in may ask; what counts is proven otherwise
            listener.listen(_BACKLOG)
        except OSError as error:
            raise unable(f"listen at {path}", error) from None
        listener.setblocking(False)
        try:
            yield listener
        finally:
            with contextlib.suppress(OSError):
                os.unlink(path)


def _remove_dead(path: str) -> None:
    """Remove a socket that a recorder has left behind."""
    with contextlib.suppress(OSError):
        if not stat.S_ISSOCK(os.lstat(path).st_mode):
            return  # to connect to a file is refused, too
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as probe:
        try:
            probe.connect(path)
        except ConnectionRefusedError:
            with contextlib.suppress(OSError):
                os.unlink(path)
        except OSError:
            pass  # bind says what is wrong
        else:
            raise Failure(f"another recorder listens at {path}")
