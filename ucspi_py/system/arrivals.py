"""How often a client has come lately: a table in memory that all workers share. Never refuses anybody.

Of fixed size: where more clients come than it has places for, those that have not come again are forgotten first.
"""

import mmap
import struct
import time
from typing import NamedTuple

from .shared_memory import SharedMemory

_PLACES = 1 << 14
_WAYS = 4


class _Entry(NamedTuple):
    """A client's key, the number of the period it last came in, arrivals in that one and in the one before."""

    client: int
    number: int
    current: int
    before: int


_LAYOUT = struct.Struct("=QLLL4x")


class Arrivals:
    """Counts arrivals by client in a sliding period of some seconds."""

    def __init__(self, period: int) -> None:
        self._period = period
        self._table = SharedMemory(_PLACES * _LAYOUT.size)

    def note(self, client: int) -> int:
        """Note one arrival of a client (a key, not 0); how many there were in the last period, this one included.

        Of the period before counts the part that the last ``period`` seconds still reach into.
        """
        number, elapsed = divmod(time.monotonic(), self._period)
        with self._table as memory:
            place = _place(memory, client)
            entry = _moved_on(_Entry(*_LAYOUT.unpack_from(memory, place)), client, int(number))
            _LAYOUT.pack_into(memory, place, *entry)
        return entry.current + int(entry.before * (1 - elapsed / self._period))


def _place(memory: mmap.mmap, client: int) -> int:
    """Where the client stands, or where the one stood who came longest ago."""
    # hash() is salted anew at every start, and the same in all workers, which were forked after that.
    first = hash(b"%d" % client) % (_PLACES // _WAYS) * _WAYS
    entries = {}
    for place in range(first * _LAYOUT.size, (first + _WAYS) * _LAYOUT.size, _LAYOUT.size):
        entry = _Entry(*_LAYOUT.unpack_from(memory, place))
        if entry.client == client:
            return place
        entries[entry.number, entry.current, place] = place
    return entries[min(entries)]


def _moved_on(entry: _Entry, client: int, number: int) -> _Entry:
    """The entry after one more arrival of a client in the period of this number."""
    if entry.client != client or entry.number < number - 1:
        return _Entry(client, number, 1, 0)
    if entry.number == number - 1:
        return _Entry(client, number, 1, entry.current)
    return entry._replace(current=entry.current + 1)
