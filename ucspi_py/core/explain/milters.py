"""The dialogue with a milter as in the server and watched: what it says to each command, and what it changes."""

from collections.abc import Callable, Iterable, Iterator, Sequence

from ..milter.changes import (
    BodyReplaced,
    Change,
    HeaderAdded,
    HeaderChanged,
    HeaderInserted,
    Quarantined,
    RecipientAdded,
    RecipientDeleted,
    SenderChanged,
)
from ..milter.dialogue import Answer, MilterDialogue, Passed
from ..milter.negotiation import Agreed, Offer
from ..milter.words import OF_CONNECTION, Event
from ..smtp.reply import Reply
from ..text import shown
from .steps import Told

_GOES_ON = "goes on"
#: Of a message that the client sends as a whole, where the milter said it.
_PLACES = {Event.HEADER: "at a header", Event.EOH: "behind the headers", Event.BODY: "in the body"}
#: Characters of a header that are told.
_SHOWN = 100


class WatchedDialogue(MilterDialogue):
    """A dialogue that tells what the milter says. offer, agreed: as of MilterDialogue. milter: its name. take: is told.

    Of a message as a whole it tells one verdict. What fails is told by whoever does the default action.
    """

    def __init__(self, offer: Offer, agreed: Agreed | None, milter: str, take: Callable[[Told], None]) -> None:
        super().__init__(offer, agreed)
        self._milter = milter
        self._take = take
        self._told: Event | None = None
        self._wanted: list[Change] = []

    def tell(self, event: Event, data: bytes = b"", macros: bytes | None = None, more: Sequence[bytes] = ()) -> None:
        """See MilterDialogue."""
        hears = self.hears(event)
        self._wanted.clear()
        super().tell(event, data, macros, more)
        if self.answer is None:
            self._told = event
        elif isinstance(self.answer, Reply):
            self._take(Told(self._milter, f"has refused this client: {shown(self.answer.line)}", refuses=True))
        elif hears and event not in _PLACES:
            self._take(Told(self._milter, "is told, and says nothing"))

    def receive(self, data: bytes) -> None:
        """See MilterDialogue."""
        known = len(self.wanted.changes)
        super().receive(data)
        self._wanted += self.wanted.changes[known:]
        event, answer = self._told, self.answer
        if event is None or answer is None:
            return
        self._told = None
        verdict = self._verdict(event, answer)
        if self.failure is None and (event not in _PLACES or verdict != _GOES_ON):
            changes = changed(self._wanted) if answer is Passed.ON else ()
            words = ": ".join(filter(None, (_PLACES.get(event), verdict)))
            self._take(Told(self._milter, words, isinstance(answer, Reply), changes))

    def _verdict(self, event: Event, answer: Answer) -> str:
        if isinstance(answer, Reply):
            return f"refuses: {shown(answer.line)}"
        if answer is Passed.DISCARDED:
            return "takes the message and throws it away"
        if event is Event.END or self.hears(event):
            return _GOES_ON
        if not self.hears(Event.END):
            return f"accepts, and hears no more of this {'client' if event in OF_CONNECTION else 'message'}"
        return "has heard enough of it, and goes on"


def changed(changes: Iterable[Change]) -> tuple[str, ...]:
    """Tell what a milter wants to have changed, a line each; pieces of a body are one."""
    return tuple(_changed(changes))


def _changed(changes: Iterable[Change]) -> Iterator[str]:
    body = None
    for change in changes:
        match change:
            case HeaderAdded(name, value):
                yield f"adds {_header(name, value)}"
            case HeaderInserted(at, name, value):
                yield f"adds {_header(name, value)} {'above all headers' if at <= 1 else f'as header {at}'}"
            case HeaderChanged(nth, name, b""):
                yield f"deletes {shown(name)}{_counted(nth)}"
            case HeaderChanged(nth, name, value):
                yield f"changes {shown(name)}{_counted(nth)}: it is {_header(name, value)}"
            case BodyReplaced(data):
                body = (body or 0) + len(data)
            case SenderChanged(address):
                yield f"changes the sender: it is {shown(address)}"
            case RecipientAdded(address):
                yield f"adds recipient {shown(address)}"
            case RecipientDeleted(address):
                yield f"deletes recipient {shown(address)}"
            case Quarantined(reason):
                yield f"wants it to be held, which is refused here: {shown(reason)}"
    if body is not None:
        yield f"replaces the body: it has {body} bytes"


def _header(name: bytes, value: bytes) -> str:
    """On one line, however it is folded; what comes to the program is shown as a whole."""
    line = shown(b"%b: %b" % (name, b" ".join(value.split())))
    return line if len(line) <= _SHOWN else f"{line[:_SHOWN]}..."


def _counted(nth: int) -> str:
    return "" if nth == 1 else f" number {nth}"
