"""What clients of a kind may get, each by the first of some entries that is about it. Never knows who they are."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence

DENY = b"deny"


class Deciding:
    """Entries that may decide, each about some clients of a kind; of several the one with the lowest number decides.

    numbers: of these entries, from 0. said: the instructions of every entry, by its number.
    """

    def __init__(self, numbers: Iterable[int], said: Sequence[bytes]) -> None:
        self._numbers = sorted(set(numbers))
        self._said = said
        self._first_denied = next((number for number in self._numbers if said[number] == DENY), len(said))
        self._alike_until = [len(self._numbers)] * len(self._numbers)
        for position in range(len(self._numbers) - 2, -1, -1):
            if said[self._numbers[position]] != said[self._numbers[position + 1]]:
                self._alike_until[position] = position + 1
            else:
                self._alike_until[position] = self._alike_until[position + 1]

    def __bool__(self) -> bool:
        return bool(self._numbers)

    def common(self, limit: int) -> bytes | None:
        """What all of these clients get; None where they get different things. limit: number of an entry about all."""
        before = bisect_left(self._numbers, limit)
        if not before:
            return self._said[limit]
        first = self._said[self._numbers[0]]
        alike = self._alike_until[0] >= before and (before == len(self._numbers) or first == self._said[limit])
        return first if alike else None

    def may_deny(self, limit: int) -> bool:
        """Whether some of these clients may be denied. limit: the number of an entry that is about all of them."""
        return self._said[limit] == DENY or self._first_denied < limit

    def is_same(self, one: int, other: int) -> bool:
        """Whether all of these clients get the same, whichever entry is about all. one, other: two of their numbers."""
        one, other = sorted((one, other))
        after, before = bisect_right(self._numbers, one), bisect_left(self._numbers, other)
        if one == other or after == len(self._numbers):
            return True
        if after < before and (
            self._said[self._numbers[after]] != self._said[one] or self._alike_until[after] < before
        ):
            return False
        return before == len(self._numbers) or self._said[one] == self._said[other]
