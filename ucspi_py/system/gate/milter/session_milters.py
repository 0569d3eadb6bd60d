"""All milters of one client's session, in their order: the first that has something against it decides.

Source: Postfix, milter.c.
"""

from collections.abc import Callable, Iterable, Sequence

from ....core.gate.milter.macros import MacroFacts
from ....core.milter.changes import Change
from ....core.milter.dialogue import Answer, Passed
from ....core.milter.words import Event
from ....core.smtp.reply import Reply
from .client import MilterClient
from .hearing import Hearing
from .held import HeldMessage
from .session_milter import CheckHeader, Heard, SessionMilter


class SessionMilters:
    """The milters of a session. clients: connect to them, in their order."""

    def __init__(self, clients: Iterable[MilterClient]) -> None:
        self._milters: Sequence[SessionMilter] = tuple(map(SessionMilter, clients))

    @property
    def may_change(self) -> bool:
        """Whether one may change the message that is under way, or its envelope."""
        return any(milter.may_change for milter in self._milters)

    @property
    def holds(self) -> bool:
        """Whether one wants the message to be held, which it may say at any event."""
        return any(milter.holds for milter in self._milters)

    @property
    def lasting(self) -> Reply | None:
        """What the first has against the client that has something against it at each command; None = none has."""
        return next((milter.lasting for milter in self._milters if milter.lasting), None)

    def is_silent(self, event: Event) -> bool:
        """Whether nothing would come of an event now: none of them has to be waited for."""
        return all(milter.is_silent(event) for milter in self._milters)

    def tell_silent(self, event: Event, data: bytes, facts: MacroFacts) -> None:
        """Tell an event of which nothing comes."""
        for milter in self._milters:
            milter.tell(event, data, facts)

    async def connect(self, data: bytes, facts: MacroFacts) -> Answer:
        """Connect to them, and tell who comes. A refusal is that of all that follows; who comes behind is not asked."""
        for milter in self._milters:
            await milter.begin()
            answer = milter.tell(Event.CONNECT, data, facts) or await milter.answer()
            if answer is not Passed.ON:
                return answer
        return Passed.ON

    async def tell(self, event: Event, data: bytes, facts: MacroFacts) -> Answer:
        """Tell a command."""
        for milter in self._milters:
            answer = milter.tell(event, data, facts) or await milter.answer()
            if answer is not Passed.ON:
                return answer
        return Passed.ON

    async def tell_refused(self, data: bytes, facts: MacroFacts) -> None:
        """Tell of a recipient that is refused those who want to hear of it; whatever they say, it stays so."""
        for milter in self._milters:
            if milter.wants_refused() and milter.tell(Event.RCPT, data, facts) is None:
                await milter.answer()

    async def hear(self, message: HeldMessage, facts: MacroFacts, body_limit: int, check: CheckHeader | None) -> Heard:
        """Have each hear a message as the one before has left it. body_limit, check: as of SessionMilter.hear().

        Raises OSError of the message's file.
        """
        changes: list[Change] = []
        for milter in self._milters:
            heard = await milter.hear(message, facts, body_limit, check)
            if heard.answer is not Passed.ON:
                return heard
            changes += heard.changes
        return Heard(Passed.ON, tuple(changes))

    def hearing(self, facts: MacroFacts, on_room: Callable[[], None], on_refusal: Callable[[], None]) -> Hearing:
        """Begin with a message that none of them changes, as Hearing has that."""
        return Hearing(self._milters, facts, on_room, on_refusal)

    def abort(self) -> None:
        """End a message, whatever has become of it."""
        for milter in self._milters:
            milter.abort()

    def end(self) -> None:
        """Say that the client has left."""
        for milter in self._milters:
            milter.end()
