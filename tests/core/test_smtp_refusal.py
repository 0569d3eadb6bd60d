"""The dialogue with a refused client."""

import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ucspi_py.core.smtp.refusal import COMMAND_LIMIT, ERROR_LIMIT, LINE_LIMIT, RefusalDialogue
from ucspi_py.core.smtp.verdict import Refuse

NO = b"553 no\r\n"
OK = b"250 rblsmtpd.local\r\n"
BYE = b"221 rblsmtpd.local\r\n"
TOO_LONG = b"500 line too long\r\n"
TOO_MUCH = b"421 too many commands\r\n"
NOT_SMTP = b"421 this is an SMTP server\r\n"
LAST_WORDS = {BYE, TOO_LONG, TOO_MUCH, NOT_SMTP}

DIALOGUES = [
    (b"", b""),
    (b"HELO x\r\nMAIL FROM:<a>\r\nRCPT TO:<b>\r\nDATA\r\nQUIT\r\n", OK + OK + NO + NO + BYE),
    (b"ehlo\nnoop\nRsEt now\n", OK * 3),
    (b"quit now\r\nNOOP\r\n", BYE),
    (b"VRFY\r\nSTARTTLS\r\nAUTH PLAIN AAAA\r\nBDAT 7 LAST\r\nHELP\r\nETRN x\r\n", NO * 6),
    (b"\r\n\n NOOP\r\nNOOP\tx\r\nNOOPS\r\n", NO * 5),
    (b"NOOP\0\r\nQUIT\0\r\n\xe9\r\n\x1b[2J\r\n", NO * 4),
    (b"NOOP\r\r\nNOOP\rNOOP\r\n", NO * 2),
    (b"NOOP", b""),
    (b"DATA\r\n.\r\n.\n\r.\r\n", NO * 4),
    (b"x" * LINE_LIMIT + b"\nNOOP\n", NO + OK),
    (b"NOOP\n" + b"x" * (LINE_LIMIT + 1), OK + TOO_LONG),
    (b"x" * (LINE_LIMIT + 1) + b"\nNOOP\n", TOO_LONG),
    (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", NOT_SMTP),
    (b"noop\r\nconnect x:25 HTTP/1.0\r\n", OK + NOT_SMTP),
    (b"GETS\r\n", NO),
    (b"\x16\x03\x01\x02\x00\x01\n", NOT_SMTP),
    # None of these sends a line end: they wait for the other side.
    (b"\x16\x03\x01\x02\x00\x01", NOT_SMTP),
    (b"\x16", NOT_SMTP),
    (b"\x80\x2e\x01", NOT_SMTP),
    (b"\x04\x01\0\x19\xc0\0\2\1\0", NOT_SMTP),
    (b"\x05\x01\0", NOT_SMTP),
    (b"\x03\0\0\x13\x0e\xe0", NOT_SMTP),
    (b"\0\x16\n", NO),
    (b"\x16" + b"x" * 3000, NOT_SMTP),
    (b"noop\n\x16\x03\x01", OK + NOT_SMTP),
    (b"noop\n" * COMMAND_LIMIT + b"\x16", OK * COMMAND_LIMIT + NOT_SMTP),
    (b"quit\n\x16\x03", BYE),
    (b"noop\x16\x03", b""),
    (b"\r\x16", b""),
    (b"noop\n" * COMMAND_LIMIT, OK * COMMAND_LIMIT),
    (b"noop\n" * COMMAND_LIMIT + b"quit\n", OK * COMMAND_LIMIT + BYE),
    (b"noop\n" * 200_000, OK * COMMAND_LIMIT + TOO_MUCH),
    (b"rcpt\n" * 200, NO * COMMAND_LIMIT + TOO_MUCH),
    (b"blah\n" * ERROR_LIMIT + b"noop\n", NO * ERROR_LIMIT + OK),
    (b"blah\n" * 200, NO * ERROR_LIMIT + TOO_MUCH),
]

QUOTES: list[tuple[bytes, dict[bytes, bytes]]] = [
    (b"", {}),
    (b"quit\n", {}),
    (b"EHLO mail.example\r\n", {b"helo": b"mail.example"}),
    (b"helo a\nehlo b\nhelo c\n", {b"helo": b"a"}),
    (
        b"helo x\r\nMail From:<a@b> SIZE=1\r\nRcpt TO:<c@d>\r\nrcpt TO:<e@f>\r\n",
        {b"helo": b"x", b"mail": b"From:<a@b> SIZE=1", b"rcpt": b"TO:<c@d>"},
    ),
    (b"mail\r\n", {b"mail": b""}),
    (b"rcpt \x1b[2J\0\xe9\r\r\n", {b"rcpt": b"?[2J???"}),
    (b"mail " + b"x" * 500 + b"\n", {b"mail": b"x" * 100}),
    (b"noop\n" * COMMAND_LIMIT + b"rcpt <a@b>\n", {}),
    (b"helo unfinished", {}),
]

lines = st.sampled_from(
    [
        *(b"NOOP", b"quit", b"RCPT TO:<b>", b"mail", b"DATA", b"blah", b"GET /", b"\x16\x03", b"\x05" * 3000),
        *(b"\n", b"\r\n", b"\r", b" ", b"\0", b"x" * 700),
    ]
)


@pytest.mark.parametrize(("said", "expected"), DIALOGUES, ids=lambda said: repr(said)[:60])
def test_a_dialogue(said: bytes, expected: bytes) -> None:
    """Six verbs get their answer, everything else the refusal, and who goes too far the end."""
    assert talk([said])[0] == expected


@pytest.mark.parametrize(
    ("said", "finished"),
    [
        (b"QUIT\n", True),
        (b"x" * 2049, True),
        (b"GET /\n", True),
        (b"noop\n" * 21, True),
        (b"noop\n" * 20, False),
        (b"DATA\r\n", False),
    ],
)
def test_the_end_of_a_dialogue(said: bytes, finished: bool) -> None:
    """QUIT, a line without end, a stranger and too many commands finish it; a refusal does not."""
    assert talk([said])[1] == finished


@pytest.mark.parametrize(("said", "expected"), QUOTES, ids=lambda said: repr(said)[:60])
def test_what_a_client_says_of_itself(said: bytes, expected: dict[bytes, bytes]) -> None:
    """The first of each, cut, and fit for a log line."""
    assert talk([said])[2] == expected


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

    replies, finished, quotes = talk([said])

    answered = replies.splitlines(keepends=True)
    assert set(answered) <= {NO, OK} | LAST_WORDS
    assert set(answered[:-1]) <= {NO, OK}
    assert finished == bool(LAST_WORDS.intersection(answered))
    if not finished:
        assert len(answered) == said.count(b"\n")
    assert all(32 <= byte <= 126 for quote in quotes.values() for byte in quote)


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


def talk(pieces: list[bytes]) -> tuple[bytes, bool, dict[bytes, bytes]]:
    """All replies, whether the dialogue has ended, and what the client said of itself."""
    dialogue = RefusalDialogue(Refuse(553, b"no"))
    return b"".join(map(dialogue.receive, pieces)), dialogue.finished, dialogue.said
