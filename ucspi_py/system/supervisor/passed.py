"""Descriptors that a supervisor passes -> listening sockets. Loaded only where one does."""

import fcntl
import os
import socket
from collections.abc import Sequence

from ...core.address import canonical
from ...core.errors import Failure, unable
from ...core.service import passed_sockets
from ...core.service.passed_sockets import PassedSocket, Wanted
from ..accept.listener import Listener, of_descriptor

#: Below it are the standard ones, which get others before we serve.
_FIRST_OF_OURS = 3


def listeners(wanted: Sequence[Wanted], listen_fds: Sequence[int], backlog: int | None) -> tuple[Listener, ...]:
    """Take over the sockets for the hosts and ports of the command line; () where none is passed.

    listen_fds: descriptors of --listen-fd; those of systemd are used where there is none. backlog: connections that may
    wait to be accepted, None = as whoever made the socket has it. Raises Failure where a descriptor is no listening TCP
    socket, and where hosts and ports do not match.
    """
    named = [(_own(fd), "") for fd in listen_fds] or passed_sockets.listen_fds(os.environ, os.getpid(), _pidfd_id)
    by_fd = {fd: _adopted(fd) for fd, _ in named}
    passed = [_seen(listener, name) for listener, (_, name) in zip(by_fd.values(), named, strict=True)]
    if not passed:
        return ()
    chosen = tuple(by_fd[one.fd] for one in passed_sockets.chosen(wanted, passed))
    if backlog is not None:
        for listener in chosen:
            listener.listen(backlog)
    return chosen


def _own(fd: int) -> int:
    """A descriptor that is no standard one, for the same socket."""
    if fd >= _FIRST_OF_OURS:
        return fd
    try:
        return fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, _FIRST_OF_OURS)
    except OSError as error:
        raise unable(f"use descriptor {fd}", error) from None


def _adopted(fd: int) -> Listener:
    try:
        listener = of_descriptor(fd)
    except OSError as error:
        raise unable(f"listen on descriptor {fd}", error) from None
    if (
        listener.family not in (socket.AF_INET, socket.AF_INET6)
        or listener.type != socket.SOCK_STREAM
        or not listener.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
    ):
        listener.detach()
        raise Failure(f"unable to listen on descriptor {fd}: it is no listening TCP socket")
    return listener


def _seen(listener: Listener, name: str) -> PassedSocket:
    ip, port = listener.getsockname()[:2]
    return PassedSocket(listener.fileno(), name, canonical(ip), port)


def _pidfd_id() -> int | None:
    """The inode of our pidfd, which tells processes apart that have the same number (sd_listen_fds(3))."""
    if not hasattr(os, "pidfd_open"):
        return None
    try:
        fd = os.pidfd_open(os.getpid())
    except OSError:
        return None
    try:
        return os.fstat(fd).st_ino
    finally:
        os.close(fd)
