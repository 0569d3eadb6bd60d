"""milter_header_checks: what becomes of a header that a milter puts in, and of its message."""

import pytest

from ucspi_py.core.gate.content.checked import UNCHECKED
from ucspi_py.core.gate.maps.names import Broken
from ucspi_py.core.gate.milter.header import Header, made
from ucspi_py.core.gate.milter.header_checks import Checked, checked, flaw
from ucspi_py.core.milter.dialogue import Passed
from ucspi_py.core.smtp.reply import reply

HEADER = made(b"X-Spam", b"yes\n folded", has_blank=False)
OTHER = Header(b"X-Other", (b"X-Other: a", b"\tb"))


@pytest.mark.parametrize("value", [None, b"DUNNO", b"OK", b"INFO i", b"WARN w"])
def test_a_header_that_is_put_in(value: bytes | None) -> None:
    """And the message goes on."""
    found = checked(HEADER, value)

    assert (found.header, found.answer, found.complaint) == (HEADER, Passed.ON, "")


@pytest.mark.parametrize("value", [b"IGNORE", b"STRIP because"])
def test_a_header_that_is_not_put_in(value: bytes) -> None:
    """The message goes on without."""
    found = checked(HEADER, value)

    assert (found.header, found.answer) == (None, Passed.ON)


def test_another_header() -> None:
    """Whatever a table has, its lines are of this header."""
    assert checked(HEADER, b"REPLACE X-Other: a\nb").header == OTHER


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (b"REJECT", reply(550, b"5.7.1 message content rejected")),
        (b"reject no spam", reply(550, b"5.7.1 no spam")),
        (b"REJECT 5.7.9 no spam", reply(550, b"5.7.9 no spam")),
        (b"REJECT 4.7.9 not now", reply(451, b"4.7.9 not now")),
        (b"REJECT 2.7.9 not now", reply(451, b"4.7.9 not now")),
        (b"DISCARD gone", Passed.DISCARDED),
    ],
)
def test_a_message_that_does_not_go_on(value: bytes, said: object) -> None:
    """In the words of Debian's Postfix."""
    assert checked(HEADER, value).answer == said


@pytest.mark.parametrize(
    ("value", "action", "text"),
    [
        (b"REJECT no", b"milter-header-reject", b"5.7.1 no"),
        (b"DISCARD gone", b"milter-header-discard", b"gone"),
        (b"STRIP because", b"milter-header-strip", b"because"),
        (b"REPLACE X: y", b"milter-header-replace", b"X: y"),
        (b"WARN", b"milter-header-warning", b""),
    ],
)
def test_what_is_logged(value: bytes, action: bytes, text: bytes) -> None:
    """In Postfix's words, too."""
    note = checked(HEADER, value).note

    assert note
    assert note[:] == (action, b"header", b"X-Spam: yes\n folded", text)
    assert checked(HEADER, b"IGNORE").note is None


@pytest.mark.parametrize(
    ("value", "sentence", "answer"),
    [
        (b"FILTER smtp:[127.0.0.1]", "FILTER needs a queue, and the gate has none", UNCHECKED),
        (b"HOLD", "HOLD needs a queue, and the gate has none", UNCHECKED),
        (b"PREPEND X: y", "PREPEND is no action of milter_header_checks", Passed.ON),
        (b"PASS", "PASS is no action of milter_header_checks", Passed.ON),
        (b"REPLACE x", "REPLACE must be followed by a header, name: text", Passed.ON),
        (b"NONSENSE", "'NONSENSE' is no action of a header or body check", Passed.ON),
    ],
)
def test_values_that_cannot_be(value: bytes, sentence: str, answer: object) -> None:
    """What would have held a message back refuses it for now; Postfix passes over the others, and warns."""
    assert flaw(value) == sentence
    assert checked(HEADER, value) == Checked(HEADER, answer, complaint=sentence)  # type: ignore[arg-type]


def test_a_table_that_cannot_be_read() -> None:
    """The message is refused for now."""
    assert checked(HEADER, Broken("table x: gone")) == Checked(None, UNCHECKED, complaint="table x: gone")
