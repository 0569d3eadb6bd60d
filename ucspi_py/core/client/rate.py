"""The arrival rate of one client over a sliding period, from two counters. Never reads a clock, and keeps nothing.

The seconds are cut into periods with numbers. Of the period before the present one counts the part that the last
``period`` seconds still reach into, as if its arrivals had come evenly.
"""

from collections.abc import Sequence
from typing import NamedTuple


class Entry(NamedTuple):
    """Arrivals of a client.

    client: its key, 0 = a free entry. number: of the period it last came in. current, before: arrivals in that one and
    in the one before.
    """

    client: int
    number: int
    current: int
    before: int


#: Arrivals of one period that are counted at most; four bytes hold them.
_MANY = (1 << 32) - 1


def arrive(entry: Entry, client: int, now: float, period: int) -> tuple[Entry, int]:
    """Count one arrival of a client: the entry after it, and its arrivals in the last period, this one included.

    entry: the client's, or another one's, which is forgotten. client: its key, not 0. now: seconds of a clock that
    never goes back. period: seconds.
    """
    number, elapsed = divmod(now, period)
    entry = _moved_on(entry, client, int(number))
    return entry, entry.current + int(entry.before * (1 - elapsed / period))


def place(entries: Sequence[Entry], client: int) -> int:
    """Find the entry of a client among some: its index, or that of the entry that came longest ago, and least often.

    client: its key.
    """
    for where, entry in enumerate(entries):
        if entry.client == client:
            return where
    return min(range(len(entries)), key=lambda where: (entries[where].number, entries[where].current))


def _moved_on(entry: Entry, client: int, number: int) -> Entry:
    """The entry after one more arrival of a client in the period of this number."""
    if entry.client != client or entry.number < number - 1:
        return Entry(client, number, 1, 0)
    if entry.number == number - 1:
        return Entry(client, number, 1, entry.current)
    return entry._replace(current=min(entry.current + 1, _MANY))
