"""What milters hear of one client, command by command, and what the client hears of that. Never judges itself.

Source: Postfix, smtpd.c, check_milter_reply() and whatever calls it.
"""

from collections.abc import Awaitable, Callable, Iterable
from functools import partial

from ....core.gate.loglines import About
from ....core.gate.milter.envelope import NO_ADDRESS, QUARANTINED, changed
from ....core.gate.milter.facts import of_message, with_name
from ....core.gate.milter.header import Header
from ....core.gate.milter.header_checks import Checked
from ....core.gate.milter.macros import ClientFacts, MacroFacts
from ....core.gate.milter.settings import Limits
from ....core.gate.restrictions.answers import ClientName
from ....core.gate.restrictions.judgement import DISCARDED
from ....core.gate.visitor import Visitor
from ....core.milter import events
from ....core.milter.dialogue import Answer, Passed
from ....core.milter.failure import MilterFailed
from ....core.milter.words import Event
from ....core.smtp.envelope import Envelope
from ....core.smtp.events import HeloGiven, SenderGiven
from ....core.smtp.path import Path
from ....core.smtp.reply import Reply, reply
from .client import MilterClient
from .hearing import Hearing, Streamed
from .held import HeldMessage
from .session_milter import Heard
from .session_milters import SessionMilters

#: Tells of a refusal that only a dry run does not have: the stage, the reply, its transaction, its recipient.
Spare = Callable[[bytes, Reply, About, Path | None], None]
Note = Callable[[bytes, Reply | None, About, Path | None], None]
FindName = Callable[[], Awaitable[ClientName]]


class ClientMilters:
    """The milters of one client. clients: connect to them. limits: of what they may do.

    visitor: who it is. facts: what macros tell of it. find_name: may be set; finds its name once, None = it is in
    facts. spare: may be set, in a dry run: then nothing is refused. note: may be set; gets what they refuse, as
    SessionLog.filtered() has that. check: may be set; says of a message's headers what SessionMilter.hear() asks.
    """

    def __init__(
        self,
        clients: Iterable[MilterClient],
        limits: Limits,
        visitor: Visitor,
        facts: ClientFacts,
        say: Callable[[str], None],
    ) -> None:
        self.visitor = visitor
        self.facts = facts
        self.find_name: FindName | None = None
        self.spare: Spare | None = None
        self.note: Note | None = None
        self.check: Callable[[Envelope, Header], Checked] | None = None
        self._milters = SessionMilters(clients)
        self._limits = limits
        self._say = say
        self._messages = 0
        self._about: About = None
        self._of_content = MacroFacts(facts)
        self._discards = self._is_begun = False
        self._hearing: Hearing | None = None

    def lasting(self) -> Reply | None:
        """Tell what is against the client at each command; None = nothing."""
        return None if self.spare else self._milters.lasting

    async def connect(self) -> tuple[Reply, Reply | None] | None:
        """Tell who comes -> its banner, and what it hears at each command; None = nothing is against it.

        What is refused for now is said at MAIL, as is what is refused for good; HELO is answered all the same.
        """
        find_name, self.find_name = self.find_name, None  # who finds it knows us by the dialogue: no cycle is left
        if find_name:
            self.facts = with_name(self.facts, await find_name())
        port = int(self.facts.port) if self.facts.port.isdigit() else 0
        data = events.connect(self.facts.name, self.visitor.ip, min(port, 65535))
        told = await self._milters.connect(data, self._facts())
        answer = self._meaning(told, b"CONNECT", None)
        if answer is None or not (answer.code >= 500 or answer.hangs_up):
            return None
        words = b"%b ESMTP not accepting connections", b"%b Service unavailable - try again later"
        banner = reply(421 if answer.hangs_up else 554, words[answer.hangs_up] % self.facts.hostname)
        return banner, None

    async def helo(self, name: bytes, verb: bytes = b"HELO") -> Reply | None:
        """Tell HELO or EHLO; a refusal that does not hang up is said at MAIL. verb: which of both, for the log."""
        await self._begin()
        answer = self._meaning(await self._tell(*self._helo(name)), verb, name)
        return answer if answer and answer.hangs_up else None

    def passes(self, event: HeloGiven | SenderGiven) -> bool:
        """Tell HELO, EHLO or MAIL where nothing comes of it -> whether it was told; else helo() or mail() has that."""
        if self._is_begun and not self._hearing:  # milters may have heard enough of it, but not of the next message
            self.dropped()
        if self._hearing or not self._milters.is_silent(Event.HELO if isinstance(event, HeloGiven) else Event.MAIL):
            return False
        told = self._helo(event.name) if isinstance(event, HeloGiven) else self._mail(event.envelope)
        self._milters.tell_silent(*told)
        return True

    async def unknown(self, name: bytes) -> Reply | None:
        """Tell a command that is none; None = nobody says more of it. name: as it was said."""
        if self._hearing:
            await self._begin()
        self._is_begun = True
        told = await self._milters.tell(Event.UNKNOWN, events.command(name), self._facts())
        return self._meaning(told, b"UNKNOWN", self._about)

    async def mail(self, envelope: Envelope) -> Reply | None:
        """Tell MAIL; None = it passes."""
        await self._begin()
        return self._meaning(await self._tell(*self._mail(envelope)), b"MAIL", envelope)

    async def recipient(self, envelope: Envelope, path: Path) -> Reply | None:
        """Tell a recipient that passes all else; None = it passes."""
        told = await self._tell(Event.RCPT, events.address(path.wire), self._facts(envelope, path))
        return self._meaning(told, b"RCPT", envelope, path)

    async def refused(self, envelope: Envelope, path: Path, refusal: Reply) -> None:
        """Tell a recipient that is refused those milters that want to hear of it."""
        if not self._discards:
            facts = self._facts(envelope, path)._replace(refusal=refusal)
            await self._milters.tell_refused(events.address(path.wire), facts)

    async def data(self, envelope: Envelope) -> Reply | None:
        """Tell DATA; None = it passes."""
        self._of_content = self._facts(envelope)
        return self._meaning(await self._tell(Event.DATA, b"", self._of_content), b"DATA", envelope)

    async def hear(self, message: HeldMessage, envelope: Envelope) -> Reply | Envelope | None:
        """Have milters hear a message -> what the client hears, or another envelope; None = it is as it was.

        Raises OSError of the message's file.
        """
        try:
            check = partial(self.check, envelope) if self.check else None
            heard = await self._milters.hear(message, self._of_content, self._limits.body, check)
            return self._found(heard, envelope)
        finally:
            self.dropped()

    def stream(self, on_room: Callable[[], None], on_refusal: Callable[[], None]) -> Streamed:
        """Begin with a message for which DATA has passed, told while it comes where none of them may change it.

        on_room, on_refusal: as of Hearing; in a dry run nobody hears of a refusal.
        """
        if self._discards:
            return DISCARDED
        if self._milters.may_change:
            return None
        refused = (lambda: None) if self.spare else on_refusal
        self._hearing = self._milters.hearing(self._of_content, on_room, refused)
        return self._hearing

    async def hear_end(self, hearing: Hearing, envelope: Envelope) -> Reply | None:
        """Have milters hear the end of a message that they heard while it came; None = it passes, else its reply."""
        try:
            found = self._found(await hearing.end(), envelope)
        finally:
            self.dropped()
        return found if isinstance(found, Reply) else None

    def becomes(self, visitor: Visitor) -> None:
        """Tell of another visitor from now on: the same client, who has said more of itself."""
        self.dropped()
        self.visitor = visitor

    def dropped(self) -> None:
        """End the message, whatever has become of it. A milter that has not answered yet hears of that later."""
        self._discards = self._is_begun = False
        if self._hearing and self._hearing.is_at_work:
            self._hearing.stop()
        else:
            self._hearing = None
            self._milters.abort()

    def end(self) -> None:
        """Say that the client has left."""
        if self._hearing:
            self._hearing.leave()
        self._milters.end()

    async def _begin(self) -> None:
        """Be done with the message before."""
        if self._hearing:
            await self._settle(self._hearing)
        if self._is_begun:
            self.dropped()

    async def _settle(self, hearing: Hearing) -> None:
        """Have milters answer what they heard of a message that was dropped meanwhile."""
        hearing.stop()
        await hearing.stopped()
        self.dropped()

    def _found(self, heard: Heard, envelope: Envelope) -> Reply | Envelope | None:
        """What came of a message; None = its envelope is as it was, and in a dry run it stays so."""
        refusal = self._meaning(heard.answer, b"END-OF-MESSAGE", envelope)
        if refusal or self._discards:
            return refusal or DISCARDED
        if self._milters.holds:
            return self._meaning(QUARANTINED, b"END-OF-MESSAGE", envelope)
        try:
            found = changed(envelope, heard.changes, self._limits.recipients)
        except MilterFailed as failure:
            self._say(f"a milter changes an envelope: {failure.sentence}")
            return self._meaning(NO_ADDRESS, b"END-OF-MESSAGE", envelope)
        return None if self.spare or found == envelope else found

    def _helo(self, name: bytes) -> tuple[Event, bytes, MacroFacts]:
        self._about = name
        return Event.HELO, events.helo(name), self._facts()

    def _mail(self, envelope: Envelope) -> tuple[Event, bytes, MacroFacts]:
        self._about = envelope
        self._is_begun = True
        self._messages += 1
        return Event.MAIL, events.address(envelope.sender.wire, envelope.parameters), self._facts(envelope)

    async def _tell(self, event: Event, data: bytes, facts: MacroFacts) -> Answer:
        if self._hearing:
            await self._settle(self._hearing)
        if self._discards:
            return Passed.ON
        return await self._milters.tell(event, data, facts)

    def _meaning(self, answer: Answer, stage: bytes, about: About, path: Path | None = None) -> Reply | None:
        """What the client hears; None = nothing, in a dry run of whatever there is."""
        if answer is Passed.ON:
            return None
        if self.spare:
            self.spare(stage, answer if isinstance(answer, Reply) else DISCARDED, about, path)
            return None
        self._discards |= answer is Passed.DISCARDED
        refusal = answer if isinstance(answer, Reply) else None
        if self.note:
            self.note(stage, refusal, about, path)
        return refusal

    def _facts(self, envelope: Envelope | None = None, recipient: Path | None = None) -> MacroFacts:
        """What macros tell now."""
        return of_message(self.facts, self.visitor, self._messages, envelope, recipient)
