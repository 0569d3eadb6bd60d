"""The refused clients that one worker holds, the oldest first. Never talks but to say goodbye."""

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager

from . import goodbye

#: RFC 5321, 3.8: a server that must end a session says 421.
_GOODBYE = b"421 4.3.2 too many clients like you, try again later\r\n"


class Held:
    """Who is held, in the order in which they came."""

    def __init__(self) -> None:
        self._clients: dict[asyncio.Task[object], socket.socket] = {}

    @contextmanager
    def during(self, client: socket.socket) -> Iterator[None]:
        """The client is held by the current task for as long as the block lasts."""
        if task := asyncio.current_task():
            self._clients[task] = client
            try:
                yield
            finally:
                self._clients.pop(task, None)

    @property
    def anybody(self) -> bool:
        """Whether any client is held."""
        return bool(self._clients)

    async def dismiss_oldest(self) -> bool:
        """Leave the client that has been held longest, with a word; False where none is held here."""
        if not self._clients:
            return False
        task = next(iter(self._clients))
        client = self._clients.pop(task)
        goodbye.say(client, _GOODBYE)
        task.cancel()
        await asyncio.wait([task])
        return True
