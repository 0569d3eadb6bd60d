"""Clients that were taken off an overflowing queue and wait for room, in the order in which they came. Never serves.

Nothing is sent to them and nothing looked up: they notice no more than they would in the listener's queue.
"""

import asyncio
import socket
from collections import deque
from collections.abc import Callable

from ..core.connection import Endpoints
from .later import Later

#: Seconds until we look whether other workers have made room.
_LOOK_AGAIN = 0.02


class Lobby:
    """``seats`` seats. has_room: whether one more could be served. serve: gets each client when there is room."""

    def __init__(
        self, seats: int, has_room: Callable[[], bool], serve: Callable[[socket.SocketType, Endpoints], None]
    ) -> None:
        self._seats = seats
        self._has_room = has_room
        self._serve = serve
        self._waiting: deque[tuple[socket.SocketType, Endpoints]] = deque()
        self._calling = False
        self._later = Later(_LOOK_AGAIN, self.call_in)

    def __bool__(self) -> bool:
        """Whether anybody waits."""
        return bool(self._waiting)

    @property
    def has_seats(self) -> bool:
        """Whether one more may wait here."""
        return len(self._waiting) < self._seats

    def seat(self, client: socket.SocketType, endpoints: Endpoints) -> None:
        """Take a client; it is served at once where nobody waits and there is room."""
        if not self._waiting and self._has_room():
            self._serve(client, endpoints)
        else:
            self._waiting.append((client, endpoints))
            self.call_in()

    def call_in(self) -> None:
        """Serve as many as there is room for."""
        if self._calling:  # who is served may leave at once, and so make room
            return
        self._calling = True
        try:
            while self._waiting and self._has_room():
                self._serve(*self._waiting.popleft())
        finally:
            self._calling = False
        if self._waiting:
            self._later.ask(asyncio.get_running_loop())
