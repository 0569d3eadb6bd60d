"""Counts of what each client does at the gate, in a table in memory that all workers share. Never decides what is much.

Where more clients come than it has places for, those that do least are forgotten first.
"""

import struct
import time
from collections.abc import Callable

from ...core.client import window
from ...core.client.window import Event, Window
from .client_table import ClientTable, Fields

#: Clients that are counted at once: 28 bytes each, 448 KB for the whole service.
_PLACES = 1 << 14
_ENTRY = struct.Struct("=QLLLLL")


class ClientEvents:
    """Counts events by client in periods of its own.

    period: seconds. places: clients that the table has room for, a multiple of 4. clock: seconds that never go back.
    """

    def __init__(self, period: int, places: int = _PLACES, clock: Callable[[], float] = time.monotonic) -> None:
        self._period = period
        self._clock = clock
        self._table = ClientTable(_ENTRY, places)

    def note(self, client: int, event: Event) -> int:
        """Count one event. client: its key, not 0. How many of the kind its period has, this one included."""
        now = int(self._clock())

        def noted(ways: list[Fields]) -> tuple[int, Fields, int]:
            windows = [Window(*fields) for fields in ways]
            place = window.place(windows, client, now, self._period)
            return place, *window.note(windows[place], client, event, now, self._period)

        return self._table.change(client, noted)
