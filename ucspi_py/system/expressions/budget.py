"""A limit on the time that expressions may take, by a timer of our own. Never decides what follows.

re holds the interpreter while it searches, so no other thread could end it; but it looks for signals, and a handler
that raises ends the search. The timer counts the time for which this process computes: a busy machine is no reason.
"""

import signal
from collections.abc import Callable
from types import FrameType
from typing import TypeVar

from ...core.expressions.search import TooLong, searched

#: Seconds of one search, and how many may use them up in one look-up: its other rules are to be asked as well.
_SEARCH = 0.05
_SEARCHES = 4

#: Where a search may be ended. Anywhere else an exception would be a surprise.
_SEARCHING = searched.__code__

T = TypeVar("T")


class _Over(Exception):
    """The whole look-up has used up its time."""


class Budget:
    """Ends searches. For the main thread, which alone gets signals; SIGVTALRM is ours."""

    def __init__(self, search: float = _SEARCH) -> None:
        """Have no limit run yet. search: seconds of one search."""
        self._search = search
        self._is_running = False
        self._used_up = 0

    def spend(self, look_up: Callable[[], T]) -> T | None:
        """Run a look-up, whose searches raise TooLong after their time; None where the whole takes too long."""
        self._used_up, self._is_running = 0, True
        signal.signal(signal.SIGVTALRM, self._end)
        try:
            signal.setitimer(signal.ITIMER_VIRTUAL, self._search)
            try:
                return look_up()
            finally:
                self._is_running = False
        except (_Over, TooLong):
            return None
        finally:
            self._is_running = False
            signal.setitimer(signal.ITIMER_VIRTUAL, 0)

    @property
    def was_short(self) -> bool:
        """Whether the last look-up had a search that took too long."""
        return self._used_up > 0

    def _end(self, _number: int, frame: FrameType | None) -> None:
        if not self._is_running:
            return
        if frame is None or frame.f_code is not _SEARCHING:
            signal.setitimer(signal.ITIMER_VIRTUAL, self._search)
            return
        self._used_up += 1
        if self._used_up == _SEARCHES:
            raise _Over
        signal.setitimer(signal.ITIMER_VIRTUAL, self._search)
        raise TooLong
