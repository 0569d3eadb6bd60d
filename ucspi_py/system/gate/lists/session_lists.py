"""One client judged by the lists, with all that has to be found out for that. Never says anything to the client."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from ....core.gate.loglines import About
from ....core.gate.restrictions.answers import ClientName
from ....core.gate.restrictions.facts import UNKNOWN, Facts, NameStatus, Stage
from ....core.gate.restrictions.judgement import Deferral, Judgement
from ....core.gate.restrictions.questions import Answer, GreylistOutcome, GreylistQuestion, PolicyQuestion, Question
from ....core.gate.restrictions.settings import RestrictionSettings
from ....core.gate.visitor import Visitor
from ....core.smtp.dialogue import Dialogue
from ....core.smtp.envelope import Envelope
from ....core.smtp.path import Path
from ..backend.patience import Patience
from ..session_log import SessionLog
from .client_name import client_name
from .lookups import Knowledge, Lookups, too_late
from .wanted import wanted

if TYPE_CHECKING:  # Few ask policy services.
    from ..policy.telling import Telling

#: Seconds in which all has to be found out that one command hangs on; what is not known then counts as not to be had.
_PATIENCE = 20.0
#: Seconds beyond it, for a server's answer that is on its way.
_GRACE = 1.0
#: Seconds that a list may have a client wait (sleep).
_LONGEST_PAUSE = 300
#: Answers that a session keeps from one command to the next.
_KEPT = 1000

#: What is asked anew at the next command: another attempt is another visit.
_OF_ONE_COMMAND = (GreylistQuestion, PolicyQuestion)

_PASSED = Judgement()
#: From which stage one has what was left to be said: the first that was judged.
_BEFORE = {Stage.HELO: (Stage.CONNECT,), Stage.MAIL: (Stage.HELO, Stage.CONNECT), Stage.RCPT: (Stage.MAIL,)}

T = TypeVar("T")


class Shared(NamedTuple):
    """What all sessions of a process have. dry_run: lists refuse nothing and throw nothing away."""

    settings: RestrictionSettings
    lookups: Lookups
    dry_run: bool


class SessionLists:
    """Judges the commands of one client.

    visitor: who it is. dialogue: its own. log: gets what lists have to say. ungreylisted: a rule spares it from that.
    telling: may be set; tells policy services of it, None = there are none.
    """

    __slots__ = (
        "_dialogue",
        "_dry_run",
        "_in_a_hurry",
        "_known",
        "_left",
        "_lookups",
        "_name",
        "_patience",
        "_settings",
        "_ungreylisted",
        "log",
        "telling",
        "visitor",
    )

    def __init__(
        self,
        shared: Shared,
        visitor: Visitor,
        dialogue: Dialogue,
        log: SessionLog,
        *,
        ungreylisted: bool = False,
    ) -> None:
        self._settings, self._lookups, self._dry_run = shared
        self.visitor = visitor
        self.telling: Telling | None = None
        self._dialogue = dialogue
        self.log = log
        self._ungreylisted = ungreylisted
        self._known = Knowledge(self._lookups)
        self._name: ClientName | None = None
        # What an earlier stage has left to be said, of each that was judged.
        self._left: dict[Stage, Deferral | None] = {}
        self._patience = Patience()
        self._in_a_hurry = False

    @property
    def judges_early(self) -> bool:
        """Whether stages before RCPT are judged, each at its command."""
        return not self._settings.smtpd_delay_reject

    @property
    def who(self) -> bytes:
        """The client as replies name it."""
        return b"%b[%b]" % (UNKNOWN if self._name is None else self._name.name, self.visitor.ip)

    async def find_name(self) -> ClientName:
        """Find out the client's name, once."""
        if self._name is None:
            deadline = time.monotonic() + _PATIENCE / 2
            asked = client_name(self._lookups.ask, self.visitor.ip, deadline)
            found = await self._wait_for(asked, deadline + _GRACE, b"name")
            self._name = found or ClientName(name_status=NameStatus.FAILED, reverse_name_status=NameStatus.FAILED)
            self.log.named(self._name.name)
        return self._name

    async def judge(
        self,
        stage: Stage,
        about: About,
        recipient: Path | None = None,
        *,
        discards: bool = False,
        passes: Callable[[], bool],
    ) -> Judgement:
        """Judge a command.

        about: its transaction, with the recipients so far, or the name in HELO; None at CONNECT. recipient: of RCPT.
        discards: the message has been discarded before. passes: whether what comes after the lists lets it pass; asked
        before the greylist is.
        """
        if not self._has_list(stage):
            return _PASSED._replace(discard=discards)
        name = self._name or await self.find_name()  # which takes nothing of the time for zones
        deadline = time.monotonic() + _PATIENCE
        facts = self._facts(stage, name, about, recipient, discards=discards)
        if len(self._known) > _KEPT:
            self._known.clear()
        found = await self._judgement(facts, deadline, passes)
        if self._dry_run:
            found = self._spared(stage, found, about, recipient)
        for line in found.lines:
            self.log.noted(stage.value, line, about, recipient)
        if stage is Stage.END_OF_MESSAGE if found.reply else stage is Stage.RCPT:
            self.log.decided(found.restriction)
        self._left[stage] = found.deferred if self.judges_early else None
        if found.pause:
            await self._wait_for(asyncio.sleep(min(found.pause, _LONGEST_PAUSE)), deadline + _LONGEST_PAUSE)
        return found

    async def _judgement(self, facts: Facts, deadline: float, passes: Callable[[], bool]) -> Judgement:
        passing: list[Question] = []
        while not isinstance(found := self._lookups.judge(self._settings, facts, self._known), Judgement):
            passing += [question for question in found if isinstance(question, _OF_ONE_COMMAND)]
            if isinstance(found[0], GreylistQuestion):  # which is asked alone, when nothing else is left to be asked
                self._known[found[0]] = await self._visit(found[0]) if passes() else None
            else:
                await self._find_out(found, deadline)
        for question in passing:
            self._known.pop(question, None)
        return found

    async def _visit(self, question: GreylistQuestion) -> GreylistOutcome:
        found = await self._wait_for(self._lookups.visit(question), None, b"greylist")  # it has a deadline
        if found:
            self.log.visited(found.verdict)
        return found._replace(header=b"") if found and self._dry_run else found  # Then nobody has had it wait.

    def becomes(self, visitor: Visitor) -> None:
        """Judge another visitor from now on: the same client, who has said more of itself."""
        self.visitor = visitor
        self._left.clear()

    def _spared(self, stage: Stage, found: Judgement, about: About, recipient: Path | None) -> Judgement:
        if found.reply:
            self.log.spared(stage.value, found.reply, about, recipient)
        return found.in_dry_run

    def hurry(self) -> None:
        """Wait for nothing any more: what is not known now counts as not to be had."""
        self._in_a_hurry = True
        self._patience.end()

    def _has_list(self, stage: Stage) -> bool:
        if stage is Stage.DATA:
            return bool(self._settings.smtpd_data_restrictions)
        return stage is not Stage.END_OF_MESSAGE or bool(self._settings.smtpd_end_of_data_restrictions)

    def _facts(self, stage: Stage, name: ClientName, about: About, recipient: Path | None, *, discards: bool) -> Facts:
        visitor = self.visitor
        of_client = Facts(
            stage,
            visitor.ip,
            *name,
            ill_pipelining=self._dialogue.ill_pipelining,
            relays=visitor.relays,
            is_ours=visitor.ip in self._settings.destinations.own_addresses,
            deferred=next((self._left[one] for one in _BEFORE.get(stage, ()) if one in self._left), None),
            discard=discards,
            login=visitor.login,
            secured=visitor.tls is not None,
            certified=visitor.certified,
            channel=visitor.channel,
            ungreylisted=self._ungreylisted,
            particulars=self.telling.particulars(visitor, about) if self.telling else None,
        )
        if not isinstance(about, Envelope):
            return of_client._replace(helo=about)
        return of_client._replace(
            helo=about.helo or None,
            sender=about.sender,
            recipient=recipient or next(reversed(about.recipients), None),
            accepted=len(about.recipients),
            smtputf8=(b"SMTPUTF8", None) in about.parameters,
        )

    async def _wait_for(self, awaited: Awaitable[T], deadline: float | None, what: bytes = b"") -> T | None:
        """Wait for something, until the deadline, None = for ever; None = it is late, or we are in a hurry."""
        self.log.watch.waits(what)
        try:
            with self._patience.until(0.0 if self._in_a_hurry else deadline):
                return await awaited
        except TimeoutError:
            return None
        finally:
            self.log.watch.waits(b"")

    async def _find_out(self, questions: tuple[Question, ...], deadline: float) -> None:
        """Answer questions, all at once; after the deadline without asking anybody."""
        answered: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        waiting = set(questions)

        def take(question: Question, answer: Answer) -> None:
            if question in waiting:  # else it is late, and would be the answer to the next command
                self._known[question] = answer
            waiting.discard(question)
            if not waiting and not answered.done():
                answered.set_result(None)

        if time.monotonic() < deadline and not self._in_a_hurry:
            for question in questions:
                self._lookups.begin(question, deadline, partial(take, question))
            if waiting:
                await self._wait_for(answered, deadline + _GRACE, wanted(waiting))
        for question in tuple(waiting):
            take(question, too_late(question))
