"""Counts of each client's arrivals (--rate), in a table in memory that all workers share. Never decides what is often.

Where more clients come than it has places for, those that have not come again are forgotten first.
"""

import struct
import time
from collections.abc import Callable

from ...core.client import rate
from .client_table import ClientTable, Fields

#: Clients that are counted at once: 24 bytes each, 384 KB for the whole service.
_PLACES = 1 << 14
_ENTRY = struct.Struct("=QLLL4x")


class Arrivals:
    """Counts arrivals by client in a sliding period.

    period: seconds. places: clients that the table has room for, a multiple of 4. clock: seconds that never go back.
    """

    def __init__(self, period: int, places: int = _PLACES, clock: Callable[[], float] = time.monotonic) -> None:
        self._period = period
        self._clock = clock
        self._table = ClientTable(_ENTRY, places)

    def note(self, client: int) -> int:
        """Count one arrival. client: its key, not 0. How many it had in the last period, this one included."""
        now = self._clock()

        def arrive(ways: list[Fields]) -> tuple[int, Fields, int]:
            entries = [rate.Entry(*fields) for fields in ways]
            place = rate.place(entries, client)
            return place, *rate.arrive(entries[place], client, now, self._period)

        return self._table.change(client, arrive)
