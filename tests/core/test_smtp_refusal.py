"""The dialogue with a refused client."""

import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ucspi_py.core.smtp_refusal import LINE_LIMIT, RefusalDialogue
from ucspi_py.core.verdict import Refuse

NO = b"553 no\r\n"
OK = b"250 rblsmtpd.local\r\n"
BYE = b"221 rblsmtpd.local\r\n"
TOO_LONG = b"500 line too long\r\n"

DIALOGUES = [
    (b"", b""),
    (b"HELO x\r\nMAIL FROM:<a>\r\nRCPT TO:<b>\r\nDATA\r\nQUIT\r\n", OK + OK + NO + NO + BYE),
    (b"ehlo\nnoop\nRsEt now\n", OK * 3),
    (b"quit now\r\nNOOP\r\n", BYE),
    (b"VRFY\r\nSTARTTLS\r\nAUTH PLAIN AAAA\r\nBDAT 7 LAST\r\nHELP\r\nGET / HTTP/1.1\r\n", NO * 6),
    (b"\r\n\n NOOP\r\nNOOP\tx\r\nNOOPS\r\n", NO * 5),
    (b"NOOP\0\r\nQUIT\0\r\n\xe9\r\n\x1b[2J\r\n", NO * 4),
    (b"NOOP\r\r\nNOOP\rNOOP\r\n", NO * 2),
    (b"NOOP", b""),
    (b"DATA\r\n.\r\n.\n\r.\r\n", NO * 4),
    (b"x" * LINE_LIMIT + b"\nNOOP\n", NO + OK),
    (b"NOOP\n" + b"x" * (LINE_LIMIT + 1), OK + TOO_LONG),
    (b"x" * (LINE_LIMIT + 1) + b"\nNOOP\n", TOO_LONG),
]

lines = st.sampled_from(
    [b"NOOP", b"quit", b"RCPT TO:<b>", b"mail", b"DATA", b"\n", b"\r\n", b"\r", b" ", b"\0", b"x" * 700]
)


@pytest.mark.parametrize(("said", "expected"), DIALOGUES, ids=lambda said: repr(said)[:60])
def test_a_dialogue(said: bytes, expected: bytes) -> None:
    """Six verbs get their answer, everything else the refusal, and a line without end the end."""
    assert talk([said])[0] == expected


@pytest.mark.parametrize(("said", "finished"), [(b"QUIT\n", True), (b"x" * 2049, True), (b"DATA\r\n", False)])
def test_the_end_of_a_dialogue(said: bytes, finished: bool) -> None:
    """QUIT and a line without end finish it; a refusal does not."""
    assert talk([said])[1] == finished


def test_the_greeting_promises_nothing() -> None:
    """It names no host of ours."""
    assert RefusalDialogue(Refuse(451, b"x")).greeting() == b"220 rblsmtpd.local\r\n"


@given(st.lists(lines | st.binary(max_size=20)))
def test_pieces_make_no_difference(pieces: list[bytes]) -> None:
    """Whole, in pieces, or one byte at a time: the same replies, and the same end."""
    whole = b"".join(pieces)

    expected = talk([whole])

    assert talk(pieces) == expected
    assert talk([whole[at : at + 1] for at in range(len(whole))]) == expected


@given(st.lists(lines | st.binary(max_size=20)))
def test_every_line_has_one_reply(pieces: list[bytes]) -> None:
    """In order, none of them 354: no message can begin, so no smuggled end of one means anything."""
    said = b"".join(pieces)

    replies, finished = talk([said])

    answered = replies.splitlines(keepends=True)
    assert set(answered) <= {NO, OK, BYE, TOO_LONG}
    assert finished == (answered[-1:] in ([BYE], [TOO_LONG]))
    if not finished:
        assert len(answered) == said.count(b"\n")


def test_a_line_without_end_takes_no_memory() -> None:
    """C keeps all of it; here 10 MB leave less behind than two lines may have."""
    dialogue = RefusalDialogue(Refuse(451, b"x"))
    piece = b"x" * 1000
    tracemalloc.start()
    try:
        replies = [reply for reply in (dialogue.receive(piece) for _ in range(10_000)) if reply]
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert replies == [TOO_LONG]
    assert dialogue.finished
    assert peak < 64 * 1024


def talk(pieces: list[bytes]) -> tuple[bytes, bool]:
    """All replies, and whether the dialogue has ended."""
    dialogue = RefusalDialogue(Refuse(553, b"no"))
    return b"".join(map(dialogue.receive, pieces)), dialogue.finished
