"""Whose check is next: first come, first served, those that have logged in before all others. Never runs one."""

from collections import deque
from typing import Generic, NamedTuple, TypeVar

Item = TypeVar("Item")


class _Waiting(NamedTuple, Generic[Item]):
    item: Item
    until: float


class Turns(Generic[Item]):
    """Checks that wait. limit: how many may. seconds: how long each may."""

    def __init__(self, limit: int, seconds: float) -> None:
        self._limit = limit
        self._seconds = seconds
        self._known: deque[_Waiting[Item]] = deque()
        self._others: deque[_Waiting[Item]] = deque()

    def __len__(self) -> int:
        """How many wait."""
        return len(self._known) + len(self._others)

    def join(self, item: Item, now: float, *, known: bool) -> Item | None:
        """Append a check; the one that there is no room for, which may be this one. None: there was room.

        now: seconds of a clock that never goes back. known: whether its user has logged in from its network: it takes
        the place of the last one of which that is not so.
        """
        turned_away = None
        if len(self) >= self._limit:
            if not known or not self._others:
                return item
            turned_away = self._others.pop().item
        (self._known if known else self._others).append(_Waiting(item, now + self._seconds))
        return turned_away

    def take(self) -> Item | None:
        """Take the one whose turn it is; None where none waits."""
        queue = self._known or self._others
        return queue.popleft().item if queue else None

    def take_overdue(self, now: float) -> list[Item]:
        """Take those that have waited too long. now: as of join()."""
        return [queue.popleft().item for queue in (self._known, self._others) for _ in range(_overdue(queue, now))]

    @property
    def next_overdue(self) -> float | None:
        """When the first of them has waited too long; None where none waits."""
        return min((queue[0].until for queue in (self._known, self._others) if queue), default=None)


def _overdue(queue: deque[_Waiting[Item]], now: float) -> int:
    """How many have waited too long: they stand in the order of their coming."""
    return sum(waiting.until <= now for waiting in queue)
