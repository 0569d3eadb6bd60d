"""The refused clients that one worker holds, the oldest first. Never talks but to say goodbye."""

import asyncio
import socket
import time
from typing import NamedTuple

from ..core.smtp_refusal import RefusalDialogue
from ..core.verdict import Refuse
from . import goodbye
from .conversation import Conversation
from .later import Later

#: RFC 5321, 3.8: a server that must end a session says 421.
_GOODBYE = b"421 4.3.2 too many clients like you, try again later\r\n"

#: Seconds between two looks for clients whose time is over: one timer for all of them.
_LOOKS = 0.25


class _Talk(NamedTuple):
    """until: the monotonic second at which it is over at the latest."""

    conversation: Conversation
    until: float


class Held:
    """Who is held, in the order in which they came."""

    def __init__(self) -> None:
        self._talks: dict[asyncio.Task[object] | None, _Talk] = {}
        self._later = Later(_LOOKS, self._end_overdue)

    async def talk(self, client: socket.SocketType, refusal: Refuse, session_seconds: int) -> RefusalDialogue:
        """Talk to a refused client until it quits, hangs up or its time is over, which may be noticed a little late.

        session_seconds: 0 = only the refusal, and a second to take it (-t 0).
        """
        loop = asyncio.get_running_loop()
        dialogue = RefusalDialogue(refusal)
        conversation = Conversation(loop, client, dialogue)
        task = asyncio.current_task()
        self._talks[task] = _Talk(conversation, time.monotonic() + (session_seconds or 1))
        self._later.ask(loop)
        try:
            conversation.begin(dialogue.greeting() if session_seconds else dialogue.dismissal())
            await conversation.over
        finally:
            self._talks.pop(task, None)
            conversation.leave()
        return dialogue

    @property
    def anybody(self) -> bool:
        """Whether any client is held."""
        return bool(self._talks)

    async def dismiss_oldest(self) -> bool:
        """Leave the client that has been held longest, with a word; False where none is held here."""
        if not self._talks:
            return False
        task = next(iter(self._talks))
        goodbye.say(self._talks.pop(task).conversation.client, _GOODBYE)
        if task:
            task.cancel()
            await asyncio.wait([task])
        return True

    def _end_overdue(self) -> None:
        now = time.monotonic()
        for conversation, until in self._talks.values():
            if until <= now:
                conversation.end()
        if self._talks:
            self._later.ask(asyncio.get_running_loop())
