"""Counts of many things, of which only the most frequent are wanted, in bounded memory."""

from heapq import nlargest
from operator import itemgetter

#: Bytes of a name: memory has a limit.
_LONGEST = 300


class Top:
    """Counts by name. capacity: names that are kept for certain; others are forgotten, the rarest first."""

    __slots__ = ("_capacity", "_counts", "missed")

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._counts: dict[bytes, int] = {}
        #: At most so much too low is a count, since a name may have been forgotten, and come again.
        self.missed = 0

    def add(self, name: bytes, number: int = 1) -> None:
        """Count a name. number: of times."""
        counts, name = self._counts, name[:_LONGEST]
        counts[name] = counts.get(name, 0) + number
        if len(counts) > 2 * self._capacity:
            self._forget()

    def get(self, name: bytes) -> int:
        """Tell how often a name was counted."""
        return self._counts.get(name[:_LONGEST], 0)

    def most(self, number: int) -> list[tuple[bytes, int]]:
        """List the most frequent names, and those of the same count by name. number: at most so many."""
        return nlargest(number, sorted(self._counts.items()), key=itemgetter(1))

    def __len__(self) -> int:
        return len(self._counts)

    def _forget(self) -> None:
        """A count of n needs n lines: this happens once in as many lines as there are names to spare."""
        ordered = sorted(self._counts.items(), key=itemgetter(1), reverse=True)
        self.missed += ordered[self._capacity][1]
        self._counts = dict(ordered[: self._capacity])
