"""The clients of one worker that may be asked to leave for newcomers, the oldest first: refused ones, and those in the
dialogue of a gate that have got nowhere yet. Never talks to them but to say goodbye.
"""

import asyncio
import time
from collections.abc import Callable
from functools import partial

from ...core.smtp.refusal import RefusalDialogue
from ...core.smtp.verdict import Refuse
from ..accept.scoreboard import Scoreboard
from ..stream.stream import Deadlines, Open, Stream

#: RFC 5321, 3.8: a server that must end a session says 421.
_GOODBYE = b"421 4.3.2 too many clients like you, try again later\r\n"


class Held:
    """The held clients by their rows of the scoreboard. changed: called when one more may be asked to leave."""

    def __init__(self, board: Scoreboard, changed: Callable[[], None]) -> None:
        self._board = board
        self._changed = changed
        self._held: dict[int, Callable[[], None]] = {}
        self._streams: dict[int, Stream] = {}
        self._deadlines = Deadlines(self._streams.values())

    async def talk(self, row: int, open_stream: Open, refusal: Refuse, session_seconds: int) -> RefusalDialogue:
        """Talk to a refused client until it quits, hangs up or its time is over, which may be noticed a little late.

        row: its row of the scoreboard. open_stream: makes its stream. session_seconds: 0 = only the refusal, and a
        second to take it (-t 0).
        """
        dialogue = RefusalDialogue(refusal)
        stream = open_stream(partial(_answer, dialogue), time.monotonic() + (session_seconds or 1))
        try:
            self._streams[row] = stream
            self._deadlines.ask(asyncio.get_running_loop())
            self.hold(row, partial(_leave, stream))
            stream.begin()
            stream.send(dialogue.greeting() if session_seconds else dialogue.dismissal(), last=dialogue.finished)
            await stream.over
        finally:
            self._streams.pop(row, None)
            self.forget(row)
            stream.leave()
        return dialogue

    def hold(self, row: int, dismiss: Callable[[], None]) -> None:
        """Have a client stand among those that may be asked to leave, as the last one that came.

        row: its row of the scoreboard. dismiss: called when it is to leave.
        """
        self._held[row] = dismiss
        self._board.hold_pending(row, time.monotonic_ns())
        self._changed()

    def protect(self, row: int) -> bool:
        """Keep a client from being asked to leave; False where it has been already, or is not held.

        row: its row of the scoreboard.
        """
        return self._held.pop(row, None) is not None and self._board.protect(row)

    def forget(self, row: int) -> None:
        """Hold a client no more that leaves by itself. row: its row, which is still to be given back."""
        self._held.pop(row, None)

    def dismiss_oldest(self) -> bool:
        """Leave the client that has been held longest here, with a word; False where none is held here."""
        oldest = next(iter(self._held), None)
        if oldest is None:
            return False
        self._dismiss(oldest)
        return True

    def dismiss_asked(self) -> None:
        """Leave those that any worker has asked to leave."""
        for row in self._board.dismissed():
            if row in self._held:
                self._dismiss(row)

    def _dismiss(self, row: int) -> None:
        self._streams.pop(row, None)
        self._held.pop(row)()


def _answer(dialogue: RefusalDialogue, stream: Stream, data: bytes) -> None:
    reply = dialogue.receive(data)
    stream.send(reply, last=dialogue.finished)


def _leave(stream: Stream) -> None:
    stream.send(_GOODBYE, last=True)
    stream.end()
