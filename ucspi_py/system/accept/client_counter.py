"""How many connections a client has and has made, to be held against its limits. Never decides."""

import os

from ...core.client.limits import ClientLimits, Keys, Presence
from ...core.client.window import Event
from .arrivals import Arrivals
from .client_events import ClientEvents
from .scoreboard import Place, Scoreboard


class ClientCounter:
    """Counts over the whole service. arrivals, events: None = they are not counted."""

    def __init__(self, board: Scoreboard, arrivals: Arrivals | None, events: ClientEvents | None = None) -> None:
        self._board = board
        self._arrivals = arrivals
        self._events = events

    def presence(self, keys: Keys, limits: ClientLimits, *, has_row: bool) -> Presence:
        """Count the connections of a client but this one, and note its arrival.

        limits: what is not limited is not counted, and is 0. has_row: whether this connection has a row of the
        scoreboard already.
        """
        return Presence(
            self._board.count_client(keys.client) - has_row if limits.per_client else 0,
            self._board.count_network(keys.network) - has_row if limits.per_network else 0,
            self._arrivals.note(keys.client) if self._arrivals else 0,
            _load() if limits.load else 0,
        )

    def count(self, place: Place) -> None:
        """Count a client for its place again."""
        self._board.name(place.row, *place.keys)

    def let_in(self, place: Place, limit: int) -> int:
        """Count a client that comes to the gate; how many of its connections are there, this one included.

        limit: beyond so many it is not there any more for those who come next; 0 = any.
        """
        count = self._board.let_in(place.row, place.keys.client)
        if 0 < limit < count:
            self._board.turn_away(place.row)
        return count

    def note(self, place: Place, event: Event) -> int:
        """Count an event of a client; how many of the kind its period has, this one included."""
        return self._events.note(place.keys.client, event) if self._events else 0


def _load() -> int:
    """The load average of the last minute, in hundredths; 0 where the system does not tell."""
    try:
        return int(os.getloadavg()[0] * 100)
    except OSError:
        return 0
