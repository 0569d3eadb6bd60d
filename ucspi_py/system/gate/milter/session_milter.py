"""One milter of one client's session: told of events, its default action done where it fails. Never judges."""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from ....core.gate.milter.failing import reply_for
from ....core.gate.milter.header import Header, changed, wanted
from ....core.gate.milter.header_checks import Checked
from ....core.gate.milter.macros import MacroFacts, values
from ....core.gate.milter.parts import Part
from ....core.metrics.asked import Went
from ....core.milter.changes import BodyReplaced, Change, HeaderAdded, HeaderChanged, HeaderInserted
from ....core.milter.dialogue import Answer, Passed
from ....core.milter.failure import MilterFailed
from ....core.milter.packet import strings
from ....core.milter.words import OF_CONNECTION, Event
from ....core.smtp.reply import Reply
from .client import MilterClient
from .connection import MilterConnection
from .held import HeldMessage, NewBody

#: Events that have milter_content_timeout for their answer.
_OF_CONTENT = frozenset((Event.HEADER, Event.EOH, Event.BODY, Event.END))
_HEADER_CHANGES = (HeaderAdded, HeaderInserted, HeaderChanged)

CheckHeader = Callable[[Header], Checked]


class Heard(NamedTuple):
    """What came of a message. changes: of its envelope, and quarantine; nothing of a message that does not go on."""

    answer: Answer
    changes: tuple[Change, ...] = ()


class SessionMilter:
    """One milter. client: connects to it. holds: whether it wants the message to be held, also if it fails later."""

    def __init__(self, client: MilterClient) -> None:
        self.holds = self._holds_all = False
        self._client = client
        self._connection: MilterConnection | None = None
        self._default: Answer = Passed.ON
        self._event = Event.CONNECT
        self._names: Mapping[Event, tuple[bytes, ...]] = {}
        self._told: tuple[tuple[bytes, ...], MacroFacts, bytes] | None = None

    async def begin(self) -> None:
        """Connect to it."""
        try:
            self._connection = await self._client.begin()
        except MilterFailed as failure:
            self._give_up(failure)
            return
        agreed = self._connection.dialogue.agreed
        self._names = self._client.settings.names(agreed.macros if agreed else {})

    @property
    def may_change(self) -> bool:
        """Whether it may change the message that is under way, or its envelope."""
        agreed = self._connection.dialogue.agreed if self._connection else None
        return agreed is not None and agreed.may_change and self.hears(Event.END)

    @property
    def lasting(self) -> Reply | None:
        """What holds at each of the client's commands; None = nothing."""
        if self._connection:
            return self._connection.dialogue.refusal
        return self._default if isinstance(self._default, Reply) else None

    def wants_refused(self) -> bool:
        """Whether it is told of recipients that are refused anyhow."""
        return self._connection is not None and self._connection.dialogue.wants_refused

    def hears(self, event: Event) -> bool:
        """Whether it would be told of an event now."""
        return self._connection is not None and self._connection.dialogue.hears(event)

    def is_silent(self, event: Event) -> bool:
        """Whether nothing would come of an event now."""
        if self._connection is None:
            return self._default is Passed.ON
        return self._connection.dialogue.is_silent(event)

    def tell(self, event: Event, data: bytes, facts: MacroFacts, more: Sequence[bytes] = ()) -> Answer | None:
        """Tell an event -> what comes of it; None = answer() has that. data, more: as of MilterDialogue.tell()."""
        connection = self._connection
        if connection is None:
            return self._default
        self._event = event
        names = self._names[event]
        if self._told is None or self._told[0] != names or self._told[1] is not facts:
            # Many events of a message have the same macros: its id.
            self._told = names, facts, strings(values(names, facts))
        return connection.tell(event, data, self._told[2], more)

    def tell_part(self, part: Part, facts: MacroFacts) -> Answer | None:
        """Tell a part of a message, as tell()."""
        agreed = self._connection and self._connection.dialogue.agreed
        if not agreed:
            return self._default
        data, *more = part.data(agreed)
        return self.tell(part.event, data, facts, more)

    async def answer(self, take: Callable[[list[Change]], None] | None = None) -> Answer:
        """Wait for what comes of the event that was told last. take: as of MilterConnection.answer()."""
        connection, settings = self._connection, self._client.settings
        if connection is None:
            return self._default
        dialogue = connection.dialogue
        is_due, since = dialogue.answer is None, time.monotonic()
        seconds = settings.content_timeout if self._event in _OF_CONTENT else settings.command_timeout
        answer = await connection.answer(seconds, take)
        if is_due or dialogue.failure:
            self._client.heard(Went.FAILED if dialogue.failure else Went.ANSWERED, time.monotonic() - since)
        if dialogue.failure:
            self._client.failed(dialogue.failure)
            self._give_up(dialogue.failure, dialogue.refusal)
            return self._default if answer is Passed.ON else answer
        if dialogue.wanted.holds:
            self.holds = True
            self._holds_all = self._holds_all or self._event in OF_CONNECTION
        return answer

    async def hear(self, message: HeldMessage, facts: MacroFacts, body_limit: int, check: CheckHeader | None) -> Heard:
        """Tell all of a message, and change it as the milter wants.

        body_limit: bytes of another body. check: says what becomes of each header that the milter puts in;
        None = all are taken. Raises OSError of the message's file.
        """
        connection = self._connection
        if connection is None:
            return Heard(self._default)
        connection.dialogue.wanted.body_limit = body_limit
        answer = await self._tell_content(message, facts)
        if answer is not Passed.ON or self._connection is None:
            return Heard(answer)
        asked = _Asked()
        try:
            answer = self.tell(Event.END, b"", facts) or await self.answer(asked.take)
            if answer is Passed.ON and self._connection is not None:
                return await asked.done(message, connection, check)
        finally:
            asked.close()
        return Heard(answer)

    async def end_of_message(self, facts: MacroFacts) -> Heard:
        """Tell the end of a message that was told part by part; it may not change that."""
        changes: list[Change] = []
        answer = self.tell(Event.END, b"", facts) or await self.answer(changes.extend)
        return Heard(answer, tuple(changes) if answer is Passed.ON and self._connection is not None else ())

    def abort(self) -> None:
        """End its message, whatever has become of that."""
        self.holds = self._holds_all
        if self._connection:
            self._connection.abort()

    def end(self) -> None:
        """Say that the client has left."""
        connection, self._connection = self._connection, None
        if connection:
            self._client.end(connection)

    async def _tell_content(self, message: HeldMessage, facts: MacroFacts) -> Answer:
        for part in message.parts(in_runs=self.is_silent(Event.HEADER)):
            if part.event is Event.BODY and not self.hears(Event.BODY):
                break
            answer = self.tell_part(part, facts) or await self.answer()
            if answer is not Passed.ON:
                return answer
            if part.event is Event.BODY:
                await asyncio.sleep(0)  # others are served between two pieces, also where the milter answers to none
        return Passed.ON

    def _give_up(self, failure: MilterFailed, refusal: Reply | None = None) -> None:
        """Have no more of it. refusal: that it has said before, and that lasts."""
        self._connection = None
        self._default = refusal or reply_for(failure, self._client.settings.default_action) or Passed.ON


class _Asked:
    """What a milter asks for at the end of one message."""

    def __init__(self) -> None:
        self._others: list[Change] = []
        self._body: NewBody | None = None
        self._lost: OSError | None = None

    def take(self, changes: list[Change]) -> None:
        """Take some of it; a body goes to a file at once. That it does not get there is not the milter's failure."""
        for change in changes:
            if not isinstance(change, BodyReplaced):
                self._others.append(change)
            elif self._lost is None:
                self._keep(change.data)

    def _keep(self, piece: bytes) -> None:
        self._body = self._body or NewBody()
        try:
            self._body.feed(piece)
        except OSError as failure:
            self._lost = failure

    async def done(self, message: HeldMessage, connection: MilterConnection, check: CheckHeader | None) -> Heard:
        """Do with the message what is to be done with it. check: as of SessionMilter.hear(). Raises OSError."""
        if self._lost:
            raise self._lost
        agreed = connection.dialogue.agreed
        has_blank = agreed is not None and agreed.has_blank
        headers = list(message.headers)
        for change in self._others:
            if not isinstance(change, _HEADER_CHANGES):
                continue
            await asyncio.sleep(0)  # others are served between two: there may be thousands, each sought among thousands
            header = wanted(change, has_blank=has_blank)
            if header and check:
                header, answer, *_ = check(header)
                if answer is not Passed.ON:
                    return Heard(answer)
                if header is None:
                    continue
            message.above = changed(headers, change, header, message.above)
        body, self._body = self._body, None
        message.change(headers, body.end() if body else None)
        return Heard(Passed.ON, tuple(one for one in self._others if not isinstance(one, _HEADER_CHANGES)))

    def close(self) -> None:
        """Give a body back that is not wanted any more."""
        if self._body:
            self._body.close()
