"""A listening Unix socket at a path. Never takes one over from a server that runs."""

import contextlib
import os
import socket
import stat
from typing import NamedTuple

from ...core.errors import Failure, unable


class Access(NamedTuple):
    """Who may connect. mode: permission bits. uid, gid: whose the socket is; None = ours."""

    mode: int
    uid: int | None = None
    gid: int | None = None


#: Whoever there is.
EVERYBODY = Access(0o666)


def listen(path: str, kind: socket.SocketKind, backlog: int, access: Access = EVERYBODY) -> socket.socket:
    """Open a non-blocking listening socket, which is to be removed at the end; a dead one in its place is removed now.

    kind: as of socket(2). backlog: connections that may wait to be accepted. Raises Failure where another server
    listens there, or something else is in its place.
    """
    listener = socket.socket(socket.AF_UNIX, kind)
    try:
        _remove_dead(path, kind)
        _bind(listener, path, access)
        listener.listen(backlog)
    except OSError as error:
        listener.close()
        raise unable(f"listen at {path}", error) from None
    except Failure:
        listener.close()
        raise
    listener.setblocking(False)
    return listener


def remove(path: str) -> None:
    """Remove a socket; that it is gone already, or is not ours to remove, is passed over."""
    with contextlib.suppress(OSError):
        os.unlink(path)


def _bind(listener: socket.socket, path: str, access: Access) -> None:
    """Make the socket with its mode, and give it away.

    Whoever owns the folder may put a link in its place meanwhile: nothing is done to what that leads to.
    """
    before = os.umask(0o777 & ~access.mode)
    try:
        listener.bind(path)
    finally:
        os.umask(before)
    try:
        os.lchown(path, -1 if access.uid is None else access.uid, -1 if access.gid is None else access.gid)
    except OSError:
        remove(path)
        raise


def _remove_dead(path: str, kind: socket.SocketKind) -> None:
    """Remove a socket that a server has left behind."""
    with contextlib.suppress(OSError):
        if not stat.S_ISSOCK(os.lstat(path).st_mode):
            return  # to connect to a file is refused, too
    with socket.socket(socket.AF_UNIX, kind) as probe:
        probe.setblocking(False)
        try:
            probe.connect(path)
        except ConnectionRefusedError:
            remove(path)
        except BlockingIOError:
            raise Failure(f"another server listens at {path}") from None
        except OSError:
            pass  # bind says what is wrong
        else:
            raise Failure(f"another server listens at {path}")
