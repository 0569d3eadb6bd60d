"""Writing to what others have open too, without waiting for its reader. Never changes it for the others.

O_NONBLOCK would hold for every process that has the same pipe or terminal, our programs among them.
"""

import fcntl
import os
import select
import socket
import stat
import struct
import termios
from collections.abc import Callable

#: Writes at most PIPE_BUF bytes; how many of them. Raises BlockingIOError instead of waiting, OSError for failures.
Write = Callable[[bytes], int]


def writer(fd: int) -> Write:
    """Make a write to a descriptor that never waits. To be called while we may still open what we were given.

    fd: the descriptor. A pipe or a terminal is opened once more, for us alone. A socket takes MSG_DONTWAIT with each
    message. A file takes all.
    """
    try:
        kind = os.fstat(fd).st_mode
        if stat.S_ISSOCK(kind):
            return _to_socket(socket.socket(fileno=os.dup(fd)))
        if stat.S_ISFIFO(kind) or os.isatty(fd):
            return _opened_again(fd) or where_there_is_room(fd)
    except OSError:
        pass  # it is closed: each write will fail
    return lambda data: os.write(fd, data)


def where_there_is_room(fd: int) -> Write:
    """Make a write to a pipe or terminal that we may not open: another user's, or without /proc.

    fd: the descriptor. Linux from 6.4 on takes RWF_NOWAIT with each write to a pipe. Elsewhere we look before we write,
    and leave a quarter of a pipe to processes that write between our look and our write.
    """
    poll = select.poll()
    poll.register(fd, select.POLLOUT)

    def write(data: bytes) -> int:
        try:
            return os.pwritev(fd, (data,), -1, os.RWF_NOWAIT)
        except BlockingIOError:
            raise
        except (OSError, AttributeError):
            if not poll.poll(0) or _nearly_full(fd):
                raise BlockingIOError from None
            return os.write(fd, data)

    return write


def _opened_again(fd: int) -> Write | None:
    try:
        own = os.open(f"/dev/fd/{fd}", os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    except OSError:
        return None
    return lambda data: os.write(own, data)


def _to_socket(log: socket.socket) -> Write:
    return lambda data: log.send(data, socket.MSG_DONTWAIT | socket.MSG_NOSIGNAL)


def _nearly_full(fd: int) -> bool:
    """Whether less than a quarter of a pipe is free; False where the system does not show it."""
    try:
        size = fcntl.fcntl(fd, fcntl.F_GETPIPE_SZ)
        (used,) = struct.unpack("i", fcntl.ioctl(fd, termios.FIONREAD, bytes(4)))
    except (OSError, AttributeError):
        return False
    return bool(used and 4 * (size - used) < size)
