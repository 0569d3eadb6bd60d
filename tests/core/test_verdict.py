"""$RBLSMTPD and the reply line."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ucspi_py.core.smtp.verdict import TEXT_LIMIT, Accept, Refuse, Verdict, told
from ucspi_py.core.text import clean

TOLD: list[tuple[bytes | None, Verdict | None]] = [
    (None, None),
    (b"", Accept(vouched=True)),
    (b"listed", Refuse(451, b"listed")),
    (b"-listed", Refuse(553, b"listed")),
    (b"-", Refuse(553, b"")),
    (b"--listed", Refuse(553, b"-listed")),
    (b" ", Refuse(451, b" ")),
]

REPLIES = [
    (Refuse(451, b"listed"), b"451 listed"),
    (Refuse(553, b""), b"553 "),
    (Refuse(451, b"a\r\n250 fine"), b"451 a??250 fine"),
    (Refuse(451, b"\xc3\xa9 ~ \x7f %n"), b"451 ?? ~ ? %n"),
    (Refuse(451, b"x" * 199 + b"\nyz"), b"451 " + b"x" * 199 + b"?"),
]


@pytest.mark.parametrize(("variable", "expected"), TOLD, ids=repr)
def test_the_environment_may_know_the_verdict(variable: bytes | None, expected: Verdict | None) -> None:
    """Unset asks the zones, empty lets in, a dash refuses for good."""
    assert told(variable) == expected


@pytest.mark.parametrize(("refusal", "expected"), REPLIES, ids=repr)
def test_the_reply(refusal: Refuse, expected: bytes) -> None:
    """The code, then 200 bytes at most, none of which can end a line."""
    assert refusal.reply == expected


@given(st.binary(max_size=300), st.sampled_from([451, 553]))
def test_no_text_can_forge_a_reply(text: bytes, code: int) -> None:
    """Printable ASCII only, of the same length as the text up to its limit."""
    reply = Refuse(code, text).reply

    assert reply.startswith(b"%d " % code)
    assert len(reply) == 4 + min(len(text), 200)
    assert all(32 <= byte <= 126 for byte in reply)


@given(st.binary(max_size=300), st.sampled_from([451, 553]))
@example(b"-" * 300, 451)
@example(b"", 451)
def test_a_verdict_handed_on_is_the_same(text: bytes, code: int) -> None:
    """What -i tells the program is the same refusal, whatever a zone says: "-" at its beginning is no 553."""
    refusal = Refuse(code, text)

    handed_on = told(refusal.variable)

    assert isinstance(handed_on, Refuse)
    assert handed_on.code == code
    assert handed_on.text.lstrip(b" ") == clean(text[:TEXT_LIMIT]).lstrip(b" ")
