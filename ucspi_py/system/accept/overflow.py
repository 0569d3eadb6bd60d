"""The overflow queue: clients accepted from a full listener's queue wait for room, first come, first served.

Nothing is sent to them and nothing looked up: they notice no more than they would in the listener's queue.
"""

import socket
from collections import deque
from collections.abc import Callable

from ...core.client.connection import Endpoints


class OverflowQueue:
    """Queues accepted clients until there is room.

    capacity: how many may wait. has_room: whether one more could be served. serve: gets each client when there is room.
    failed: gets what that has raised; the client is closed, and the others are served. waits: hears by how many more
    wait, or fewer.
    """

    def __init__(
        self,
        capacity: int,
        has_room: Callable[[], bool],
        serve: Callable[[socket.SocketType, Endpoints], None],
        failed: Callable[[BaseException], None],
        waits: Callable[[int], None] = lambda _more: None,
    ) -> None:
        self._capacity = capacity
        self._has_room = has_room
        self._serve = serve
        self._failed = failed
        self._waits = waits
        self._waiting: deque[tuple[socket.SocketType, Endpoints]] = deque()
        self._calling = False

    def __len__(self) -> int:
        """The number of clients that wait."""
        return len(self._waiting)

    @property
    def has_seats(self) -> bool:
        """Whether one more client may wait here."""
        return len(self._waiting) < self._capacity

    def join(self, client: socket.SocketType, endpoints: Endpoints) -> bool:
        """Serve a client at once where none waits and there is room; otherwise append it. Whether any waits then."""
        if not self._waiting and not self._calling and self._has_room():
            self._serve_one(client, endpoints)
            return False
        self._waiting.append((client, endpoints))
        self._waits(1)
        self.call_in()
        return bool(self._waiting)

    def call_in(self) -> None:
        """Serve waiting clients while there is room."""
        if self._calling:  # a client that is served may leave at once, and so make room
            return
        self._calling = True
        try:
            while self._waiting and self._has_room():
                self._waits(-1)
                self._serve_one(*self._waiting.popleft())
        except Exception as error:
            self._failed(error)
        finally:
            self._calling = False

    def _serve_one(self, client: socket.SocketType, endpoints: Endpoints) -> None:
        try:
            self._serve(client, endpoints)
        except Exception as error:
            client.close()
            self._failed(error)
