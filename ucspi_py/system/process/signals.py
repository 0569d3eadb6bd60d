"""Signals as facts to be taken up by a loop. A handler only notes its number and never logs, locks or decides."""

import math
import os
import select
import signal
from collections.abc import Iterator
from contextlib import contextmanager

#: The signals that the interpreter ignores for itself.
INTERPRETERS = frozenset({signal.SIGPIPE, getattr(signal, "SIGXFSZ", signal.SIGPIPE)})


class Signals:
    """Notes signals, and makes ``fd`` readable for the loop or poll that waits on it.

    numbers: of the signals. The pipe may overflow while the loop is stalled; the note is kept, so no signal is lost.
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
        """Return the signals noted since the last call, and empty the pipe."""
        try:
            while len(os.read(self.fd, 4096)) == 4096:
                pass
        except BlockingIOError:
            pass
        noted, self._noted = self._noted, set()
        return noted

    def close(self) -> None:
        """Close the pipe, in a forked child that makes its own."""
        os.close(self.fd)
        os.close(self._wake)

    def _note(self, number: int, _frame: object) -> None:
        self._noted.add(number)


def readable(seconds: float | None, *fds: int) -> bool:
    """Wait until any descriptor can be read or has ended (poll(2)); False where the time is over first.

    seconds: to wait, None = for ever. fds: descriptors.
    """
    poll = select.poll()
    for fd in fds:
        poll.register(fd, select.POLLIN)
    return bool(poll.poll(None if seconds is None else math.ceil(1000 * seconds)))


@contextmanager
def all_blocked() -> Iterator[None]:
    """Block all signals within: a fork there leaves none to a handler of the wrong process."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def ignored() -> frozenset[int]:
    """List the signals that were ignored when we were started, as under nohup(1); of the interpreter's nobody knows."""
    return frozenset(n for n in signal.valid_signals() - INTERPRETERS if signal.getsignal(n) == signal.SIG_IGN)
