"""Signals as facts to be taken up by a loop. A handler only notes its number and never logs, locks or decides."""

import math
import os
import select
import signal
from collections.abc import Iterator
from contextlib import contextmanager


class Signals:
    """Notes the given signals and wakes whoever waits on ``fd`` for reading.

    The pipe may overflow while the loop is stalled; the note is kept all the same, so no signal is ever lost.
    """

    def __init__(self, *numbers: int) -> None:
        self._noted: set[int] = set()
        self.fd, self._wake = os.pipe()
        os.set_blocking(self.fd, False)
        os.set_blocking(self._wake, False)
        for number in numbers:
            signal.signal(number, self._note)
        signal.set_wakeup_fd(self._wake, warn_on_full_buffer=False)

    def take(self) -> set[int]:
        """The signals noted since the last call; empties the pipe."""
        try:
            while len(os.read(self.fd, 4096)) == 4096:
                pass
        except BlockingIOError:
            pass
        noted, self._noted = self._noted, set()
        return noted

    def close(self) -> None:
        """Give up the pipe, in a forked child that makes its own."""
        os.close(self.fd)
        os.close(self._wake)

    def _note(self, number: int, _frame: object) -> None:
        self._noted.add(number)


def readable(seconds: float | None, *fds: int) -> bool:
    """Whether anything can be read, or has ended, within so many seconds; None = wait for ever."""
    poll = select.poll()
    for fd in fds:
        poll.register(fd, select.POLLIN)
    return bool(poll.poll(None if seconds is None else math.ceil(1000 * seconds)))


@contextmanager
def all_blocked() -> Iterator[None]:
    """No signal arrives within: a fork there leaves none to a handler of the wrong process."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def ignored() -> frozenset[int]:
    """The signals that whoever started us has set to be ignored, as nohup does.

    SIGPIPE and SIGXFSZ cannot be told: the interpreter ignores them itself.
    """
    ours = {signal.SIGPIPE, getattr(signal, "SIGXFSZ", signal.SIGPIPE)}
    return frozenset(n for n in signal.valid_signals() - ours if signal.getsignal(n) == signal.SIG_IGN)
