"""A message that no milter changes: they hear of it while it comes, and nobody holds it. Never judges."""

import asyncio
from collections.abc import Callable, Sequence

from ....core.gate.milter.macros import MacroFacts
from ....core.gate.milter.parts import Part, Parts
from ....core.milter.changes import Change
from ....core.milter.dialogue import Answer, Passed
from ....core.milter.words import Event
from ....core.smtp.reply import Reply
from .session_milter import Heard, SessionMilter

#: Bytes that wait for milters: from so many on no more is to come.
_FULL = 64 * 1024


class Hearing:
    """One message.

    milters: are told, in their order. facts: what macros tell of it. on_room: called when more may come after is_full.
    on_refusal: called once a milter has something against it.
    """

    def __init__(
        self,
        milters: Sequence[SessionMilter],
        facts: MacroFacts,
        on_room: Callable[[], None],
        on_refusal: Callable[[], None],
    ) -> None:
        self._milters = milters
        self._facts = facts
        self._on_room = on_room
        self._on_refusal = on_refusal
        self._answers: list[Answer] = [Passed.ON] * len(milters)
        has_body = self._is_heard(Event.BODY)
        is_heard = has_body or self._is_heard(Event.HEADER) or self._is_heard(Event.EOH)
        in_runs = all(milter.is_silent(Event.HEADER) for milter in milters)
        self._parts = Parts(has_body=has_body, in_runs=in_runs) if is_heard else None
        self._work: asyncio.Task[None] | None = None
        self._is_stopped = False

    @property
    def is_full(self) -> bool:
        """Whether so much waits for milters that no more is to come."""
        return self._parts is not None and self._parts.waiting >= _FULL

    @property
    def is_too_large(self) -> bool:
        """Whether its headers are beyond their limit."""
        return self._parts is not None and self._parts.is_too_large

    @property
    def is_at_work(self) -> bool:
        """Whether an answer of a milter is due."""
        return self._work is not None and not self._work.done()

    def feed(self, content: bytes) -> None:
        """Take framed content."""
        if self._parts is not None and not self._is_stopped:
            self._parts.feed(content)

    def go_on(self) -> None:
        """Have milters hear of what has come: the end is still to come."""
        if self._parts is not None and self._parts.has_next and not (self._is_stopped or self.is_at_work):
            self._work = asyncio.get_running_loop().create_task(self._tell(self._parts))

    async def end(self) -> Heard:
        """Have milters hear of the rest. The first of them that has something against the message decides."""
        if self._parts is not None:
            self._parts.end()
            await self.stopped()
            await self._tell(self._parts)
        changes: list[Change] = []
        for milter, answer in zip(self._milters, self._answers, strict=True):
            heard = Heard(answer) if answer is not Passed.ON else await milter.end_of_message(self._facts)
            if heard.answer is not Passed.ON:
                return heard
            changes += heard.changes
        return Heard(Passed.ON, tuple(changes))

    def stop(self) -> None:
        """Let milters hear of no more of it."""
        self._is_stopped = True

    async def stopped(self) -> None:
        """Wait until each has answered what is told."""
        if self._work is not None:
            await self._work

    def leave(self) -> None:
        """Wait for nobody any more."""
        if self._work is not None:
            self._work.cancel()

    def _is_heard(self, event: Event) -> bool:
        return any(milter.hears(event) for milter in self._milters)

    async def _tell(self, parts: Parts) -> None:
        while not self._is_stopped and (part := parts.next()):
            self._give_room(parts.waiting + part.size)  # before the answer, which may be a while
            await self._tell_part(part)
            if part.event is Event.BODY and not self._is_heard(Event.BODY):
                waited = parts.waiting
                parts.drop_body()
                self._give_room(waited)

    def _give_room(self, waited: int) -> None:
        """Say that there is room if there is some now. waited: bytes that have waited for milters until now."""
        if waited >= _FULL and not self.is_full:
            self._on_room()

    async def _tell_part(self, part: Part) -> None:
        """Tell each of it, but those behind one that has something against the message: they are never asked."""
        for at, milter in enumerate(self._milters):
            if self._answers[at] is Passed.ON:
                self._answers[at] = milter.tell_part(part, self._facts) or await milter.answer()
                if self._answers[at] is not Passed.ON:
                    self._on_refusal()
            if self._answers[at] is not Passed.ON:
                return


#: A message that milters hear of while it comes; or a reply: it is thrown away, and that is said at its end; None = it
#: is to be held, as they may change it.
Streamed = Hearing | Reply | None
