"""The log on standard error, where daemontools reads. One write an event, so that lines of several processes never mix.

No write waits for the reader: lines that do not fit into the pipe are counted as lost, and logged when they fit again.
"""

import select
from collections.abc import Callable

from ...core.service import loglines
from .journal import prioritized
from .nonblocking import Write, writer

OnLoss = Callable[[int], None]

QUIET, ERRORS, VERBOSE = range(3)


class Log:
    """Writes lines as -q, -Q or -v allow.

    verbosity: QUIET, ERRORS or VERBOSE. write: where to, without waiting; None = standard error. lost: lines that found
    no room and are not yet reported. on_loss: called with their number whenever some are lost.
    """

    #: Whether its lines are told as events.
    of_events = False

    def __init__(self, verbosity: int, write: Write | None = None) -> None:
        self.verbose = verbosity >= VERBOSE
        self.warns = verbosity != QUIET
        self._write = write or prioritized(writer(2), 2)
        self.lost = 0
        self.on_loss: OnLoss | None = None
        self._cut = False

    def detail(self, *lines: bytes) -> None:
        """Write whole lines that only -v shows."""
        if self.verbose:
            self.say(*lines)

    def warn(self, *lines: bytes) -> None:
        """Write whole lines that only -q hides."""
        if self.warns:
            self.say(*lines)

    def say(self, *lines: bytes) -> None:
        """Write whole lines under any option; in one write, if they fit into PIPE_BUF (POSIX, write)."""
        if self.lost and self._put(self._gap(self.lost)):
            self.lost = 0
        data = b"".join(lines)
        for piece in (data,) if len(data) <= select.PIPE_BUF else data.splitlines(keepends=True):
            if self.lost or not self._put(_fitting(piece)):
                self._lose(piece.count(b"\n"))

    def _lose(self, lines: int) -> None:
        self.lost += lines
        if self.on_loss:
            self.on_loss(lines)

    def _gap(self, number: int) -> bytes:
        """The line that says how many are missing."""
        return loglines.lost(number)

    def _put(self, piece: bytes) -> bool:
        """Whether there was room for a piece. Behind one that was cut short the next begins a line of its own."""
        data = b"\n" + piece if self._cut else piece
        try:
            self._cut = self._write(data) < len(data)
        except BlockingIOError:
            return False
        except OSError:
            pass  # a reader that is gone does not stop the server, as in C
        return True


def _fitting(piece: bytes) -> bytes:
    """POSIX: a write to a pipe is whole only up to PIPE_BUF bytes."""
    return piece if len(piece) <= select.PIPE_BUF else piece[: select.PIPE_BUF - 1] + b"\n"
