"""Standard error, where daemontools reads. One write per event, so that lines of several processes never mix.

Nobody waits for the reader of the log: what does not fit into the pipe is counted as lost, and said when it fits again.
"""

import os
import select
import socket
import stat
from collections.abc import Callable

from ..core import logline

QUIET, ERRORS, VERBOSE = range(3)

_Write = Callable[[bytes], int]


class Log:
    """Says lines as loud as -q, -Q or -v allow. To be made while we may still open what we were given."""

    def __init__(self, verbosity: int) -> None:
        self.verbose = verbosity >= VERBOSE
        self._silent = verbosity == QUIET
        self._write = _without_waiting(2)
        self._lost = 0

    def detail(self, *lines: bytes) -> None:
        """Whole lines that only -v shows."""
        if self.verbose:
            self.say(*lines)

    def warn(self, *lines: bytes) -> None:
        """Whole lines that only -q hides."""
        if not self._silent:
            self.say(*lines)

    def say(self, *lines: bytes) -> None:
        """Whole lines that are always shown; in one write, if that is possible without mixing."""
        if self._lost:
            lines = (logline.lost(self._lost), *lines)
        data = b"".join(lines)
        pieces = (data,) if len(data) <= select.PIPE_BUF else data.splitlines(keepends=True)
        try:
            for piece in pieces:
                self._write(_fitting(piece))
            self._lost = 0
        except BlockingIOError:
            self._lost += data.count(b"\n") - bool(self._lost)
        except OSError:
            pass  # a reader that is gone does not stop the server, as in C


def _fitting(piece: bytes) -> bytes:
    """POSIX: a write to a pipe is whole only up to PIPE_BUF bytes."""
    return piece if len(piece) <= select.PIPE_BUF else piece[: select.PIPE_BUF - 1] + b"\n"


def _without_waiting(fd: int) -> _Write:
    """A way to write to fd that raises BlockingIOError instead of waiting.

    O_NONBLOCK would belong to everybody who has the same pipe, our programs among them: so a pipe is opened once more,
    for us alone. A socket can be told with each message. A file takes all; a terminal is left as it is.
    """
    try:
        kind = os.fstat(fd).st_mode
        if stat.S_ISSOCK(kind):
            return _to_socket(socket.socket(fileno=os.dup(fd)))
        if stat.S_ISFIFO(kind):
            fd = os.open(f"/dev/fd/{fd}", os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        pass  # then with waiting
    return lambda data: os.write(fd, data)


def _to_socket(log: socket.socket) -> _Write:
    return lambda data: log.send(data, socket.MSG_DONTWAIT | socket.MSG_NOSIGNAL)
