"""The refused clients that one worker holds, the oldest first. Never talks but to say goodbye."""

import asyncio
import socket
import time
from collections.abc import Callable
from typing import NamedTuple

from ...core.smtp.refusal import RefusalDialogue
from ...core.smtp.verdict import Refuse
from ..accept.scoreboard import Scoreboard
from ..process.timer import Timer
from . import last_reply
from .conversation import Conversation

#: RFC 5321, 3.8: a server that must end a session says 421.
_GOODBYE = b"421 4.3.2 too many clients like you, try again later\r\n"

#: Seconds between two looks for clients whose time is over: one timer for all of them.
_LOOKS = 0.25


class _Talk(NamedTuple):
    """until: the monotonic second at which it is over at the latest."""

    conversation: Conversation
    until: float


class Held:
    """The held clients by their rows of the scoreboard. changed: called when one more may be asked to leave."""

    def __init__(self, board: Scoreboard, changed: Callable[[], None]) -> None:
        self._board = board
        self._changed = changed
        self._talks: dict[int, _Talk] = {}
        self._timer = Timer(_LOOKS, self._end_overdue)

    async def talk(self, row: int, client: socket.SocketType, refusal: Refuse, session_seconds: int) -> RefusalDialogue:
        """Talk to a refused client until it quits, hangs up or its time is over, which may be noticed a little late.

        row: its row of the scoreboard. session_seconds: 0 = only the refusal, and a second to take it (-t 0).
        """
        loop = asyncio.get_running_loop()
        dialogue = RefusalDialogue(refusal)
        conversation = Conversation(loop, client, dialogue)
        try:
            self._talks[row] = _Talk(conversation, time.monotonic() + (session_seconds or 1))
            self._timer.ask(loop)
            self._board.hold_refused(row, time.monotonic_ns())
            self._changed()
            conversation.begin(dialogue.greeting() if session_seconds else dialogue.dismissal())
            await conversation.over
        finally:
            self._talks.pop(row, None)
            conversation.leave()
        return dialogue

    def dismiss_oldest(self) -> bool:
        """Leave the client that has been held longest here, with a word; False where none is held here."""
        oldest = next(iter(self._talks), None)
        if oldest is None:
            return False
        self._dismiss(oldest)
        return True

    def dismiss_asked(self) -> None:
        """Leave those that any worker has asked to leave."""
        for row in self._board.dismissed():
            if row in self._talks:
                self._dismiss(row)

    def _dismiss(self, row: int) -> None:
        conversation = self._talks.pop(row).conversation
        last_reply.say(conversation.client, _GOODBYE)
        conversation.end()

    def _end_overdue(self) -> None:
        now = time.monotonic()
        for conversation, until in self._talks.values():
            if until <= now:
                conversation.end()
        if self._talks:
            self._timer.ask(asyncio.get_running_loop())
