"""CORRIDOR 3: one SMTP session, from its banner to its end; of the gate the only part that waits.

The dialogue says what has happened, the judgement what becomes of it, the backend what it says to it. Holds their order
and nothing else. Nothing that the client sends reaches the backend but by the dialogue, which has written it anew.
"""

import asyncio
import time

from ...core.gate import relay
from ...core.smtp.events import (
    ContentGiven,
    DataAsked,
    Event,
    MessageEnded,
    MessageRefused,
    Paused,
    RecipientGiven,
    TransactionDropped,
)
from ...core.smtp.reply import Reply, reply
from ...core.smtp.session_time import SessionTime
from ..stream.stream import Stream
from .backend_pipe import nobody
from .session import Host, Session

#: Bytes that are read at once of commands and of content.
_COMMANDS, _CONTENT = 4096, 65536
#: Bytes that may wait for an answer to a command before them; then nothing more is read.
_READ_AHEAD = 65536
#: Seconds for which a backend may be kept between two messages: it has a slot.
_BACKEND_IDLE = 60.0
#: Seconds for which a client may take to read our last reply.
_LAST_REPLY = 10.0

_GONE = reply(451, b"4.3.0 nobody is here to hear it")
_CROWDED = reply(421, b"4.3.2 too many clients, try again later")
_TIMED_OUT = b"4.4.2 %b Error: timeout exceeded"
_LEAVING = b"4.3.2 %b Service not available, try again later"


class Conversation:
    """One session. All times are seconds of the monotonic clock."""

    __slots__ = (
        "_asked",
        "_backend",
        "_dialogue",
        "_hold",
        "_host",
        "_log",
        "_name",
        "_patience",
        "_paused_at",
        "_stream",
        "_time",
        "_visitor",
    )

    def __init__(self, host: Host, session: Session) -> None:
        loop = asyncio.get_running_loop()
        self._host = host
        self._name, client, self._dialogue, self._visitor, self._backend, self._hold, self._log = session
        self._stream = Stream(loop, client, self._received, 0.0, self._hung_up)
        self._asked: asyncio.Future[Event | None] = loop.create_future()
        self._patience: asyncio.Timeout | None = None
        self._paused_at: float | None = None
        self._time = SessionTime(host.settings.smtp, time.monotonic())

    async def run(self) -> None:
        """Speak with the client until one of us ends it."""
        self._stream.over.add_done_callback(self._on_over)
        self._backend.on_room = self._on_room
        try:
            self._hold.expose(self.dismiss)
            self._dialogue.greet(self._stream.waiting())
            self._stream.begin()
            self._advance()
            while (event := await self._asked) is not None:
                self._asked = asyncio.get_running_loop().create_future()
                self._answer(event, await self._carry_out(event))
                if self._stream.over.done():
                    break
        finally:
            self._stream.leave()
            self._part_with_backend()
            self._log.ended(self._dialogue)

    def look(self, now: float, *, idle_limit: float, leaving: bool) -> None:
        """Leave a client that is silent or slow for too long.

        now: the time. idle_limit: seconds for which it may be silent. leaving: whether whoever is in no transaction is
        to be left.
        """
        dialogue = self._dialogue
        if dialogue.finished:
            if self._time.is_over(now, _LAST_REPLY):
                self._stream.end()
            return
        if dialogue.waits or self._paused_at is not None:
            return
        if dialogue.in_content:
            over = self._time.content_is_over(now, dialogue.content_size)
        else:
            over = self._time.is_over(now, idle_limit)
        if over:
            self._close(reply(421, _TIMED_OUT % self._name), b"timeout")
        elif dialogue.idle:
            if leaving:
                self._close(reply(421, _LEAVING % self._name), b"leaving")
            self._backend.rest(now - _BACKEND_IDLE)

    def dismiss(self) -> None:
        """Leave the client for a newcomer, with a word, if it takes it at once."""
        self._close(_CROWDED, b"crowded")
        self._stream.end()

    def _close(self, last: Reply, why: bytes) -> None:
        self._dialogue.close(last, why)
        self._flush()

    def _received(self, _stream: Stream, data: bytes) -> None:
        self._dialogue.receive(data)
        self._advance()

    def _hung_up(self, _stream: Stream) -> None:
        """What it has said is carried out nevertheless, and answered."""
        self._dialogue.receive_end()
        self._advance()

    def _advance(self) -> None:
        """Carry on as far as nobody has to be waited for."""
        while (event := self._dialogue.next()) is not None:
            if not self._settle(event):
                if not self._asked.done():
                    self._asked.set_result(event)
                break
        self._flush()
        self._read_on()

    def _settle(self, event: Event) -> bool:
        """Whether an event is settled; otherwise the backend is to be waited for."""
        match event:
            case ContentGiven():
                self._time.heard(time.monotonic())
                self._backend.send(event.data)
            case RecipientGiven():
                return self._is_refused(event)
            case MessageRefused():
                self._backend.close()
                self._log.message(event.envelope, event.reply, event.size)
                self._end_transaction()
            case TransactionDropped():
                self._backend.reset()
                self._end_transaction()
            case Paused():
                asyncio.get_running_loop().call_later(event.seconds, self._resume)
            case _:
                return False
        return True

    def _is_refused(self, event: RecipientGiven) -> bool:
        """Whether a recipient is refused without asking the backend; then it has been."""
        refusal = relay.judge(event.recipient, self._visitor, self._host.control, self._host.settings)
        if refusal is None and not self._hold.protect():
            refusal = _CROWDED
        if refusal is None:
            return False
        self._dialogue.answer(refusal)
        self._log.rejected(event, refusal)
        return True

    async def _carry_out(self, event: Event) -> Reply:
        """Wait for the backend's answer; whoever has gone meanwhile keeps it only for a message that is complete."""
        if isinstance(event, MessageEnded):
            return await self._backend.end_of_data()
        try:
            async with asyncio.timeout(None) as self._patience:
                if isinstance(event, RecipientGiven):
                    return await self._backend.recipient(event.envelope, event.recipient)
                return await self._backend.data()
        except TimeoutError:
            self._backend.close()
            return _GONE
        finally:
            self._patience = None

    def _answer(self, event: Event, answer: Reply) -> None:
        self._dialogue.answer(answer)
        match event:
            case RecipientGiven() if not answer.is_positive:
                self._log.rejected(event, answer)
            case DataAsked() if self._dialogue.in_content:
                self._time.content_begins(time.monotonic())
                self._stream.piece = _CONTENT
            case MessageEnded():
                self._log.message(event.envelope, answer, event.size)
                if answer.is_positive:
                    self._time.message_taken(time.monotonic())
                self._end_transaction()
        if self._dialogue.idle:
            self._hold.expose(self.dismiss)
        self._advance()

    def _end_transaction(self) -> None:
        self._stream.piece = _COMMANDS
        self._hold.expose(self.dismiss)

    def _resume(self) -> None:
        self._dialogue.resume()
        self._advance()

    def _flush(self) -> None:
        """Send what is to be said, and be done when that was the last."""
        if self._stream.over.done():
            return
        said = self._dialogue.take_output()
        if said:
            self._time.heard(time.monotonic())
        if said or self._dialogue.finished:
            self._stream.send(said, last=self._dialogue.finished)

    def _read_on(self) -> None:
        """Read from the client while there is room for what it says."""
        if self._backend.is_full:
            self._paused_at = self._paused_at or time.monotonic()
            self._stream.pause()
        elif self._dialogue.buffered >= _READ_AHEAD:
            self._stream.pause()
        else:
            self._stream.begin()

    def _on_room(self) -> None:
        """The backend has taken what waited for it."""
        if self._paused_at is not None:
            self._time.content_waited(time.monotonic() - self._paused_at)
            self._paused_at = None
        self._read_on()

    def _on_over(self, _over: asyncio.Future[None]) -> None:
        if self._patience:
            self._patience.reschedule(asyncio.get_running_loop().time())
        if not self._asked.done():
            self._asked.set_result(None)

    def _part_with_backend(self) -> None:
        if self._dialogue.end == b"quit":
            self._backend.quit()
        else:
            self._backend.close()
        self._backend.on_room = nobody
