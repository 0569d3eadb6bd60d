"""Arrivals of one client in a sliding period, from two counters. Never knows the time, and keeps nothing.

The seconds are cut into periods with numbers. Of the period before the present one counts the part that the last
``period`` seconds still reach into, as if its arrivals had come evenly.
"""

from collections.abc import Sequence
from typing import NamedTuple


class Entry(NamedTuple):
    """Arrivals of a client.

    client: its key, 0 = nobody. number: of the period it last came in. current, before: arrivals in that one and in the
    one before.
    """

    client: int
    number: int
    current: int
    before: int


#: More arrivals of one period than these are not told apart; four bytes hold them.
_MANY = (1 << 32) - 1


def arrive(entry: Entry, client: int, now: float, period: int) -> tuple[Entry, int]:
    """Note one arrival of a client: the entry after it, and how many came in the last period, this one included.

    entry: the client's, or another one's, which is forgotten. now, period: seconds; now never goes back.
    """
    number, elapsed = divmod(now, period)
    entry = _moved_on(entry, client, int(number))
    return entry, entry.current + int(entry.before * (1 - elapsed / period))


def place(entries: Sequence[Entry], client: int) -> int:
    """Where among some entries the client stands; otherwise where the one stands who came longest ago, and least."""
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
