"""Milters in an explanation: what each says to a command, and what it wants to have changed, in words."""

from collections.abc import Iterable

import pytest

from tests.support.milter import CONTINUE, optneg
from ucspi_py.core.explain.milters import WatchedDialogue, changed
from ucspi_py.core.explain.steps import Told
from ucspi_py.core.milter.changes import (
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
from ucspi_py.core.milter.negotiation import Offer
from ucspi_py.core.milter.packet import packed
from ucspi_py.core.milter.words import Event, Protocol

SPAM = packed(b"y", b"554 5.7.1 Spam\0")
ADDS = packed(b"h", b"X-Seen\0yes\0")
ACCEPTS, DISCARDS, SKIPS = packed(b"a"), packed(b"d"), packed(b"s")
ALL = Protocol(0)
MESSAGE = (Event.CONNECT, Event.MAIL, Event.RCPT, Event.HEADER, Event.HEADER, Event.EOH, Event.BODY, Event.END)


def told(says: dict[Event, bytes], events: Iterable[Event] = MESSAGE, protocol: Protocol = ALL) -> list[Told]:
    """What is told of a milter that says CONTINUE to all else."""
    heard: list[Told] = []
    dialogue = WatchedDialogue(Offer(), None, "unix:a", heard.append)
    dialogue.negotiate()
    dialogue.receive(optneg(protocol=protocol))
    for event in events:
        dialogue.tell(event)
        if dialogue.answer is None:
            for byte in says.get(event, CONTINUE):
                dialogue.receive(bytes([byte]))
    return heard


def verdicts(says: dict[Event, bytes], events: Iterable[Event] = MESSAGE, protocol: Protocol = ALL) -> list[str]:
    """Their verdicts."""
    return [one.verdict for one in told(says, events, protocol)]


def test_each_command_has_a_verdict_and_a_message_one() -> None:
    """Not each of its headers."""
    assert verdicts({}) == ["goes on"] * 4


@pytest.mark.parametrize(
    ("says", "expected"),
    [
        ({Event.CONNECT: ACCEPTS}, ["accepts, and hears no more of this client"]),
        ({Event.MAIL: ACCEPTS}, ["goes on", "accepts, and hears no more of this message"]),
        ({Event.RCPT: SPAM}, ["goes on", "goes on", "refuses: 554 5.7.1 Spam", "goes on"]),
        ({Event.END: ACCEPTS}, ["goes on"] * 4),
        ({Event.END: DISCARDS}, ["goes on"] * 3 + ["takes the message and throws it away"]),
        ({Event.BODY: SKIPS}, ["goes on"] * 3 + ["in the body: has heard enough of it, and goes on", "goes on"]),
        ({Event.EOH: ACCEPTS}, ["goes on"] * 3 + ["behind the headers: accepts, and hears no more of this message"]),
    ],
)
def test_verdicts(says: dict[Event, bytes], expected: list[str]) -> None:
    """Whatever it says."""
    assert verdicts(says) == expected


def test_a_header_that_is_refused_is_told() -> None:
    """Where it was, and that the client hears of it."""
    assert told({Event.HEADER: SPAM}, MESSAGE[:4])[-1] == Told("unix:a", "at a header: refuses: 554 5.7.1 Spam", True)


def test_a_client_that_is_refused_stays_so() -> None:
    """At each of its commands."""
    assert verdicts({Event.CONNECT: SPAM}, (Event.CONNECT, Event.MAIL)) == [
        "refuses: 554 5.7.1 Spam",
        "has refused this client: 554 5.7.1 Spam",
    ]


def test_a_milter_that_is_told_and_says_nothing() -> None:
    """And one that does not want to be told, of which nothing is said."""
    assert verdicts({}, (Event.CONNECT, Event.HELO), Protocol.NR_CONN | Protocol.NOHELO) == [
        "is told, and says nothing"
    ]


def test_changes_are_told_where_the_message_goes_on() -> None:
    """And not those of one that is refused."""
    assert told({Event.END: ADDS + CONTINUE})[-1] == Told("unix:a", "goes on", changes=("adds X-Seen: yes",))
    assert told({Event.END: ADDS + SPAM})[-1] == Told("unix:a", "refuses: 554 5.7.1 Spam", True)


def test_a_failure_is_told_by_whoever_does_the_default_action() -> None:
    """Not here."""
    assert verdicts({Event.MAIL: packed(b"z")}, MESSAGE[:2]) == ["goes on"]


@pytest.mark.parametrize(
    ("changes", "lines"),
    [
        ([HeaderInserted(0, b"A", b" b;\n\tc")], ("adds A: b; c above all headers",)),
        ([HeaderInserted(7, b"A", b"b")], ("adds A: b as header 7",)),
        ([HeaderAdded(b"A", b"x" * 98)], (f"adds A: {'x' * 97}...",)),
        ([HeaderChanged(1, b"A", b"b"), HeaderChanged(2, b"A", b"")], ("changes A: it is A: b", "deletes A number 2")),
        ([BodyReplaced(b"ab"), BodyReplaced(b"c")], ("replaces the body: it has 3 bytes",)),
        ([SenderChanged(b"<a@b>", b"")], ("changes the sender: it is <a@b>",)),
        ([RecipientAdded(b"<a@b>", b""), RecipientDeleted(b"<c>")], ("adds recipient <a@b>", "deletes recipient <c>")),
        ([Quarantined(b"virus\x1b")], (r"wants it to be held, which is refused here: virus\x1b",)),
    ],
)
def test_changes(changes: list[Change], lines: tuple[str, ...]) -> None:
    """A line each; a body is one, in however many pieces it comes."""
    assert changed(changes) == lines
