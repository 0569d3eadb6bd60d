"""CORRIDOR 3: one SMTP session, from its banner to its end; of the gate the only part that waits.

The dialogue says what has happened, the judgement what becomes of it, the backend what it says to it. Holds their order
and nothing else. Nothing that the client sends reaches the backend but by the dialogue, which has written it anew.
"""

import asyncio
from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec

from ...core.smtp import events
from ...core.smtp.reply import Reply, reply
from ..stream.stream import Stream
from .backend_pipe import nobody
from .client_end import ClientEnd
from .session import Host, Session

#: Seconds for which a backend may be kept between two messages: it has a slot.
_BACKEND_IDLE = 60.0

_CROWDED = reply(421, b"4.3.2 too many clients, try again later")
_TIMED_OUT = b"4.4.2 %b Error: timeout exceeded"
_LEAVING = b"4.3.2 %b Service not available, try again later"

_P = ParamSpec("_P")
_Method = Callable[Concatenate["Conversation", _P], None]


def _of_one_session(method: _Method[_P]) -> _Method[_P]:
    """Have an error of what the loop calls end this session, and disturb no other."""

    @wraps(method)
    def guarded(self: "Conversation", /, *args: _P.args, **kwargs: _P.kwargs) -> None:
        try:
            method(self, *args, **kwargs)
        except Exception as error:
            self.fail(error)

    return guarded


class Conversation:
    """One session. All times are seconds of the monotonic clock."""

    __slots__ = (
        "_asked",
        "_backend",
        "_client",
        "_dialogue",
        "_error",
        "_hold",
        "_host",
        "_is_leaving",
        "_log",
        "_name",
        "_patience",
        "_pause",
        "_visitor",
    )

    def __init__(self, host: Host, session: Session) -> None:
        loop = asyncio.get_running_loop()
        self._host = host
        self._name, connected, self._dialogue, self._visitor, self._backend, self._hold, self._log = session
        self._client = ClientEnd(connected, self._dialogue, host.settings.smtp, self._received, self._hung_up)
        self._asked: asyncio.Future[events.Event | None] = loop.create_future()
        self._patience: asyncio.Timeout | None = None
        self._pause: asyncio.TimerHandle | None = None
        self._error: Exception | None = None
        self._is_leaving = False

    async def run(self) -> None:
        """Speak with the client until one of us ends it. Raises what went wrong meanwhile."""
        self._client.over.add_done_callback(self._on_over)
        self._backend.on_room = self._read_on
        try:
            self._hold.expose(self.dismiss)
            denied = await self._backend.connect() if self._host.judges_early else None
            self._client.greet(denied)
            if denied:
                self._log.denied(denied[0])
            self._advance()
            await self._serve()
        except BaseException:
            self._dialogue.close(None, b"error")
            raise
        finally:
            try:
                self._end()
            finally:
                self._backend.close()

    def fail(self, error: Exception) -> None:
        """End the session without a word: something went wrong that nobody expected."""
        self._error = self._error or error
        self._client.end()

    @_of_one_session
    def look(self, now: float, *, idle_limit: float, leaving: bool) -> None:
        """Leave a client that is silent or slow for too long.

        now: the time. idle_limit: seconds for which it may be silent. leaving: whether whoever is in no transaction is
        to be left.
        """
        self._is_leaving = leaving
        dialogue = self._dialogue
        if dialogue.waits:
            return
        if self._client.is_late(now, idle_limit):
            self._client.close(reply(421, _TIMED_OUT % self._name), b"timeout")
        elif dialogue.idle and leaving:
            self._client.close(reply(421, _LEAVING % self._name), b"leaving")
        elif dialogue.idle:
            self._backend.rest(now - _BACKEND_IDLE)

    @_of_one_session
    def dismiss(self) -> None:
        """Leave the client for a newcomer, with a word, if it takes it at once."""
        self._client.close(_CROWDED, b"crowded")
        self._client.end()

    async def _serve(self) -> None:
        """Carry out what the backend is wanted for, one thing after the other."""
        while (event := await self._asked) is not None:
            self._asked = asyncio.get_running_loop().create_future()
            with self._log.waiting(event):
                answer = await self._carry_out(event)
            if answer is not None:
                self._answer(event, answer)
            if self._client.over.done():
                break
        if self._error:
            raise self._error

    def _end(self) -> None:
        """Leave client and backend, and say how it was."""
        self._backend.on_room = nobody
        if self._pause:
            self._pause.cancel()
        self._client.leave()
        if self._dialogue.end == b"quit":
            self._backend.quit()
        self._log.ended(self._dialogue)

    @_of_one_session
    def _received(self, _stream: Stream, data: bytes) -> None:
        self._client.take(data)
        self._advance()

    @_of_one_session
    def _hung_up(self, _stream: Stream) -> None:
        """What it has said is carried out nevertheless, and answered; but nothing is waited for that leads nowhere."""
        self._dialogue.receive_end()
        if not self._dialogue.buffered:
            self._backend.hurry()
        self._advance()

    def _advance(self) -> None:
        """Carry on as far as nobody has to be waited for."""
        while not self._client.over.done() and (event := self._dialogue.next()) is not None:
            if not self._settle(event):
                self._asked.set_result(event)
                break
        else:
            self._backend.flush()  # its end is still to come
        self._client.tell()
        self._client.read_on(has_room=not self._backend.is_full)

    def _settle(self, event: events.Event) -> bool:
        """Whether an event is settled; otherwise the backend is to be waited for."""
        match event:
            case events.ContentGiven():
                self._backend.send(event.data)
            case events.RecipientGiven():
                return self._is_refused(event)
            case events.MessageRefused():
                self._backend.close()
                self._log.message(event.envelope, event.reply, event.size)
                self._end_transaction()
            case events.TransactionDropped():
                self._backend.reset()
                self._end_transaction()
            case events.Paused():
                self._pause = asyncio.get_running_loop().call_later(event.seconds, self._resume)
            case _:
                return False
        return True

    def _is_refused(self, event: events.RecipientGiven) -> bool:
        """Whether a recipient is refused without asking the backend; then it has been."""
        refusal = self._host.refusal(event, self._visitor, self._log)
        if refusal is None and self._is_leaving and not event.envelope.recipients:
            refusal = reply(421, _LEAVING % self._name)
        if refusal is None and not self._hold.protect():
            refusal = _CROWDED
        if refusal is None:
            return False
        self._dialogue.answer(refusal)
        self._log.rejected(event, refusal)
        return True

    async def _carry_out(self, event: events.Event) -> Reply | None:
        """Wait for the backend's answer; None where the client has gone, but for a message that is complete."""
        if isinstance(event, events.MessageEnded):
            return await self._backend.end_of_data()
        if self._client.over.done():
            return None
        try:
            async with asyncio.timeout(None) as self._patience:
                return await self._backend.ask(event)
        except TimeoutError:
            return None
        finally:
            self._patience = None

    def _answer(self, event: events.Event, answer: Reply) -> None:
        self._dialogue.answer(answer)
        match event:
            case events.DataAsked() if self._dialogue.in_content:
                self._client.content_begins()
            case events.MessageEnded():
                self._log.message(event.envelope, answer, event.size)
                if answer.is_positive:
                    self._client.message_taken()
                self._end_transaction()
            case _ if not answer.is_positive:
                self._log.rejected(event, answer)
        if self._dialogue.idle:
            self._hold.expose(self.dismiss)
        self._advance()

    def _end_transaction(self) -> None:
        self._client.content_ends()
        self._hold.expose(self.dismiss)

    @_of_one_session
    def _resume(self) -> None:
        self._dialogue.resume()
        self._advance()

    @_of_one_session
    def _read_on(self) -> None:
        self._client.read_on(has_room=not self._backend.is_full)

    def _on_over(self, _over: asyncio.Future[None]) -> None:
        if self._patience:
            self._patience.reschedule(asyncio.get_running_loop().time())
        if not self._asked.done():
            self._asked.set_result(None)
