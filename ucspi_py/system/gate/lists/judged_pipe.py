"""A session's way to its backend, past the lists and the gate's last check. Never judges itself."""

from collections.abc import Callable, Mapping

from ....core.gate.loglines import About
from ....core.gate.restrictions.facts import Stage
from ....core.gate.restrictions.judgement import DISCARDED, Judgement, with_headers
from ....core.gate.visitor import Visitor
from ....core.smtp.envelope import Envelope
from ....core.smtp.events import Event, HeloGiven, RecipientGiven, SenderGiven
from ....core.smtp.path import Path
from ....core.smtp.reply import Reply, reply
from ..backend.pipe import BackendPipe, Start
from ..session import LastCheck
from .session_lists import SessionLists

#: What smtpd says of a message that it throws away is what it says of any other.
_TAKEN = reply(250, b"2.1.5 Ok")
_GO_ON = reply(354, b"End data with <CR><LF>.<CR><LF>")


def _always() -> bool:
    return True


class JudgedPipe(BackendPipe):
    """As BackendPipe; whatever lists refuse never reaches a backend.

    lists: the client's. last_check: the gate's, of recipients that they let pass.
    """

    __slots__ = ("_begun", "_discards", "_envelope", "_headers", "_last_check", "_lists")

    def __init__(
        self,
        start: Start,
        environment: Mapping[bytes, bytes],
        report: Callable[[str], None],
        lists: SessionLists,
        last_check: LastCheck,
    ) -> None:
        super().__init__(start, environment, lists.visitor, report)
        self._lists = lists
        self._last_check = last_check
        self._begun: Envelope | None = None
        self._envelope: Envelope | None = None
        self._discards = False
        self._headers: tuple[bytes, ...] = ()

    async def connect(self) -> tuple[Reply, Reply | None] | None:
        """Judge the client before its banner."""
        refusal = await self._early(Stage.CONNECT, None)
        if refusal:
            return refusal, reply(503, b"5.7.0 Error: access denied for " + self._lists.who)
        if self.milters:
            self.milters.find_name = self._lists.find_name
        return await super().connect()

    def passes(self, event: HeloGiven | SenderGiven) -> bool:
        """Tell a command that no list judges, and of which no policy service hears."""
        if self._lists.judges_early or self._lists.telling:
            return False
        if isinstance(event, SenderGiven):
            self._begin(event.envelope)
        return super().passes(event)

    async def ask(self, event: Event) -> Reply:
        """Answer what hangs on lists or on the backend."""
        match event:
            case HeloGiven(verb, name):
                refusal = await self._greeting(verb, name)
                return refusal or await super().ask(event)
            case SenderGiven(envelope):
                self._begin(envelope)
                refusal = await self._early(Stage.MAIL, envelope)
                return refusal or await super().ask(event)
        return await super().ask(event)

    async def _greeting(self, verb: bytes, name: bytes) -> Reply | None:
        telling = self._lists.telling
        if telling:
            telling.greets(verb)
        refusal = await self._early(Stage.HELO, name)
        if telling and refusal is None:
            telling.greeted()
        return refusal

    async def recipient(self, envelope: Envelope, path: Path) -> Reply:
        """Judge a recipient, and ask the backend about one who passes."""
        self._begin(envelope)
        visitor, event = self._lists.visitor, RecipientGiven(envelope, path)
        found = await self._judged(
            Stage.RCPT, envelope, path, passes=lambda: self._last_check.flaw(visitor, event) is None
        )
        # What is thrown away goes nowhere, and so not elsewhere.
        answer = found.reply or (None if self._discards else self._last_check.refusal(self._lists.log, visitor, event))
        if answer and self.milters:
            await self.milters.refused(envelope, path, answer)
        if answer is None:
            answer = _TAKEN if self._discards else await super().recipient(envelope, path)
        if answer.is_positive:
            self._envelope = envelope.having(*envelope.recipients, path)
        return answer

    async def data(self) -> Reply:
        """Judge DATA, and ask the backend for its 354; headers of the lists come first."""
        refusal = await self._refusal_of(Stage.DATA)
        if refusal:
            return refusal
        if self._discards:
            return _GO_ON
        answer = await super().data()
        if answer.code == 354 and self._backend:
            self._backend.prepend(self._headers)
        return answer

    def send(self, content: bytes) -> None:
        """Send content, unless it is thrown away."""
        if not self._discards:
            super().send(content)

    async def end_of_data(self, size: int) -> Reply:
        """Judge the whole message, and send the final dot of one that passes. size: bytes of it."""
        if self._lists.telling:
            self._lists.telling.come(size)
        refusal = await self._refusal_of(Stage.END_OF_MESSAGE)
        if refusal:
            self.close()
        elif self._discards:
            refusal = DISCARDED
        return refusal or await super().end_of_data(size)

    def becomes(self, visitor: Visitor, environment: Mapping[bytes, bytes]) -> None:
        """Judge another visitor from now on."""
        self._forget()
        self._lists.becomes(visitor)
        super().becomes(visitor, environment)

    def hurry(self) -> None:
        """Wait for no slot any more, and for nothing that lists ask."""
        self._lists.hurry()
        super().hurry()

    def reset(self) -> None:
        """Drop the transaction, and what lists have said of it."""
        self._forget()
        super().reset()

    async def _refusal_of(self, stage: Stage) -> Reply | None:
        return None if self._envelope is None else (await self._judged(stage, self._envelope)).reply

    async def _early(self, stage: Stage, about: About) -> Reply | None:
        """Judge at once, where that is not left to RCPT."""
        return (await self._judged(stage, about)).reply if self._lists.judges_early else None

    async def _judged(
        self, stage: Stage, about: About, path: Path | None = None, passes: Callable[[], bool] = _always
    ) -> Judgement:
        found = await self._lists.judge(stage, about, path, discards=self._discards, passes=passes)
        self._headers = with_headers(self._headers, found.prepend, found.once)
        if found.discard and not self._discards:
            self._discards = True
            super().reset()
        return found

    def _begin(self, envelope: Envelope) -> None:
        """Forget the last transaction at the first command of another one; the same object means the same one.

        What lists have said at a refused recipient holds for the message, too (smtpd_check.c, check_table_result).
        """
        if not envelope.recipients and envelope is not self._begun:
            self._forget()
            self._begun = envelope
            if self._lists.telling:
                self._lists.telling.begun()

    def _forget(self) -> None:
        self._begun = self._envelope = None
        self._discards, self._headers = False, ()
