"""The refused clients that one worker holds, the oldest first. Never talks but to say goodbye."""

import asyncio
import socket

from ..core.smtp_refusal import RefusalDialogue
from ..core.verdict import Refuse
from . import conversation, goodbye

#: RFC 5321, 3.8: a server that must end a session says 421.
_GOODBYE = b"421 4.3.2 too many clients like you, try again later\r\n"


class Held:
    """Who is held, in the order in which they came."""

    def __init__(self) -> None:
        self._clients: dict[asyncio.Task[object], socket.SocketType] = {}

    async def talk(self, client: socket.SocketType, refusal: Refuse, session_seconds: int) -> RefusalDialogue:
        """Hold a refused client, as conversation.hold() does."""
        if task := asyncio.current_task():
            self._clients[task] = client
        try:
            return await conversation.hold(client, refusal, session_seconds)
        finally:
            if task:
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
