"""Counts of each client's arrivals (--rate), in a table in memory that all workers share. Never decides what is often.

Of fixed size: where more clients come than it has places for, those that have not come again are forgotten first.
"""

import struct
import time
from collections.abc import Callable

from ...core.client import rate
from ..process.shared_memory import SharedMemory

#: Clients that are counted at once: 24 bytes each, 384 KB for the whole service.
_PLACES = 1 << 14
#: Places that a client may stand in, as in a set-associative cache: a search that never gets longer.
_WAYS = 4
_ENTRY = struct.Struct("=QLLL4x")


class Arrivals:
    """Counts arrivals by client in a sliding period.

    period: seconds. places: clients that the table has room for, a multiple of 4. clock: seconds that never go back.
    """

    def __init__(self, period: int, places: int = _PLACES, clock: Callable[[], float] = time.monotonic) -> None:
        self._period = period
        self._places = places
        self._clock = clock
        self._table = SharedMemory(places * _ENTRY.size)

    def note(self, client: int) -> int:
        """Count one arrival. client: its key, not 0. How many it had in the last period, this one included."""
        # hash() is salted anew at every start, and the same in all workers, which were forked after that.
        first = hash(b"%d" % client) % (self._places // _WAYS) * _WAYS * _ENTRY.size
        now = self._clock()
        with self._table as memory:
            ways = memory[first : first + _WAYS * _ENTRY.size]
            entries = [rate.Entry(*fields) for fields in _ENTRY.iter_unpack(ways)]
            place = rate.place(entries, client)
            entry, count = rate.arrive(entries[place], client, now, self._period)
            _ENTRY.pack_into(memory, first + place * _ENTRY.size, *entry)
        return count
