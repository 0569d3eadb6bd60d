"""CORRIDOR 3: one SMTP session, from its banner to its end; of the gate the only part that waits.

The dialogue says what has happened, the judgement what becomes of it, the backend what it says to it. Holds their order
and nothing else. Nothing that the client sends reaches the backend but by the dialogue, which has written it anew.
"""

import asyncio

from ...core.smtp import events
from ...core.smtp.reply import Reply
from ..stream.stream import Stream
from .backend.pipe import nobody
from .client_end import ClientEnd
from .presence import CROWDED, of_one_session
from .session import Host, Session
from .trusting import Trusting


class Conversation(Trusting):
    """One session. All times are seconds of the monotonic clock."""

    __slots__ = ("_asked", "_is_greeted", "_loop", "_pause", "_refusal")

    def __init__(self, host: Host, session: Session) -> None:
        client = ClientEnd(session.socket, session.dialogue, host.settings.smtp, self._received, self._hung_up)
        if session.secured:
            client.speak_within(session.secured)
        super().__init__(host, session, client)
        self._loop = asyncio.get_running_loop()
        self._asked: asyncio.Future[events.Event | None] = self._loop.create_future()
        self._is_greeted = False
        self._pause: asyncio.TimerHandle | None = None
        self._refusal: Reply | None = None

    async def run(self, there: "set[Conversation]") -> None:
        """Speak with the client until one of us ends it. Raises what went wrong meanwhile.

        there: this one is among them as long.
        """
        self._client.over.add_done_callback(self._on_over)
        self._backend.on_room = self._read_on
        try:
            there.add(self)
            self._hold.expose(self.dismiss)
            denied = await self._judged() if self._host.judges_early else None
            if not self._client.over.done():
                self._greet(denied)
            await self._serve()
        except BaseException:
            self._dialogue.close(None, b"error")
            raise
        finally:
            try:
                self._end()
            finally:
                there.discard(self)
                self._backend.leave()

    async def _judged(self) -> tuple[Reply, Reply | None] | None:
        """Have the client judged before its banner, as BackendPipe.connect() does; None also where it has left."""
        self._client.watch()
        return await self._unless_over(self._backend.connect)

    def _greet(self, denied: tuple[Reply, Reply | None] | None) -> None:
        """Begin to speak. denied: as BackendPipe.connect() has it."""
        self._is_greeted = True
        self._client.greet(denied)
        if denied:
            self._log.denied(denied[0])
        self._advance()

    async def _serve(self) -> None:
        """Carry out what the backend is wanted for, one thing after the other."""
        while (event := await self._asked) is not None:
            self._asked = self._loop.create_future()
            if isinstance(event, events.LoginAsked | events.TlsAsked):
                self._log.proves(event)
                await self._become(event)
            else:
                self._log.asked(event)
                answer = await self._carry_out(event)
                self._log.answered()
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

    @of_one_session
    def _received(self, _stream: Stream, data: bytes) -> None:
        if self._is_greeted:
            self._client.take(data)
            self._advance()
        else:
            self._client.keep(data)

    @of_one_session
    def _hung_up(self, _stream: Stream) -> None:
        """What it has said is carried out nevertheless, and answered; but nothing is waited for that leads nowhere."""
        self._dialogue.receive_end()
        if not self._dialogue.buffered:
            self._backend.hurry()
        if self._is_greeted:
            self._advance()
        else:
            self._patience.end()

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
            case events.HeloGiven() | events.SenderGiven():
                return self._passes(event)
            case events.MessageRefused():
                self._backend.close()
                self._log.message(event.envelope, event.reply, event.size)
                self._end_transaction()
            case events.TransactionDropped():
                self._backend.reset()
                self._end_transaction()
            case events.ExchangeFailed():
                self._log.exchange_failed(event)
            case events.Paused():
                self._pause = self._loop.call_later(event.seconds, self._resume)
            case _:
                return False
        return True

    def _passes(self, event: events.HeloGiven | events.SenderGiven) -> bool:
        """Whether a command passes without waiting for anybody; then it has been answered."""
        if not self._backend.passes(event):
            return False
        self._log.comes(event)
        self._dialogue.go_on(event)
        return True

    def _is_refused(self, event: events.RecipientGiven) -> bool:
        """Whether a recipient is refused without asking anybody; then it has been. Milters hear of it before that."""
        refusal = self._host.refusal(event, self._visitor, self._log)
        if refusal and self._backend.milters:
            self._refusal = refusal
            return False
        if refusal is None and self._is_leaving and not event.envelope.recipients:
            refusal = self._farewell()
        if refusal is None and not self._hold.protect():
            refusal = CROWDED
        if refusal is None:
            return False
        self._dialogue.answer(refusal)
        self._log.rejected(event, refusal)
        return True

    async def _become(self, event: events.LoginAsked | events.TlsAsked) -> None:
        """Have the client prove who it is, or begin TLS."""
        if isinstance(event, events.LoginAsked):
            await self._log_in(event)
        elif await self._begin_tls():
            self._client.over.add_done_callback(self._on_over)
            self._end_transaction()
        self._advance()

    async def _carry_out(self, event: events.Event) -> Reply | None:
        """Wait for the backend's answer; None where the client has gone, but for a message that is complete."""
        if isinstance(event, events.MessageEnded):
            return await self._backend.end_of_data(event.size)
        refusal, self._refusal = self._refusal, None
        if refusal and isinstance(event, events.RecipientGiven) and self._backend.milters:
            await self._unless_over(self._backend.milters.refused, *event, refusal)
            return refusal
        return await self._unless_over(self._backend.ask, event)

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

    @of_one_session
    def _resume(self) -> None:
        self._dialogue.resume()
        self._advance()

    @of_one_session
    def _read_on(self) -> None:
        self._client.read_on(has_room=not self._backend.is_full)

    def _on_over(self, _over: asyncio.Future[None]) -> None:
        self._patience.end()
        if not self._asked.done():
            self._asked.set_result(None)
