"""The dialogue of the demonstration backend by itself: bytes in, bytes out."""

from collections.abc import Sequence

import pytest
from demo_session import ADDRESS_LIMIT, COMMAND_LIMIT, LINE_LIMIT, RECIPIENT_LIMIT, Control, Message, Session, address
from hypothesis import given
from hypothesis import strategies as st

CONTROL = Control(
    me=b"me.example",
    greeting=b"hello.example",
    rcpthosts=frozenset((b"ours.example", b".below.example")),
    badmailfrom=frozenset((b"bad@elsewhere.example", b"@bad.example")),
    databytes=0,
)
BEGIN = b"MAIL FROM:<a@elsewhere.example>\r\nRCPT TO:<you@ours.example>\r\n"


class Talk:
    """A session, what it has replied and what it has stored."""

    def __init__(self, *, relay: bytes | None = None, limit: int = 1000) -> None:
        self.stored: list[Message] = []
        self.session = Session(CONTROL, relay, limit, self._store)

    def _store(self, message: Message) -> bytes:
        if b"disk full" in message.text:
            raise OSError
        self.stored.append(message)
        return b"stored"

    def say(self, data: bytes, size: int = 0) -> list[bytes]:
        """Send something, whole or in pieces of a size; the replies."""
        size = size or max(len(data), 1)
        replies = b"".join(self.session.receive(data[at : at + size]) for at in range(0, len(data), size))
        assert replies.endswith(b"\r\n") or not replies
        return replies.split(b"\r\n")[:-1]

    def codes(self, data: bytes) -> list[int]:
        """Send something; the numbers of the replies."""
        return [int(reply[:3]) for reply in self.say(data)]


DIALOGUES = [
    (b"HELO x\r\nehlo x\r\n", [b"250 hello.example", b"250-hello.example", b"250-PIPELINING", b"250 8BITMIME"]),
    (b"NOOP\r\nRSET\r\nnoop x\n", [b"250 ok", b"250 flushed", b"250 ok"]),
    (b"STARTTLS\r\n\r\nGET / HTTP/1.1\r\n", [b"502 unimplemented (#5.5.1)"] * 3),
    (b"RCPT TO:<a@ours.example>\r\nDATA\r\n", [b"503 MAIL first (#5.5.1)"] * 2),
    (b"MAIL FROM:<>\r\nDATA\r\nMAIL\r\n", [b"250 ok", b"503 RCPT first (#5.5.1)", b"555 syntax error (#5.5.4)"]),
    (BEGIN + b"RSET\r\nDATA\r\n", [b"250 ok", b"250 ok", b"250 flushed", b"503 MAIL first (#5.5.1)"]),
    (BEGIN + b"HELO x\r\nDATA\r\n", [b"250 ok", b"250 ok", b"250 hello.example", b"503 MAIL first (#5.5.1)"]),
    (BEGIN + b"MAIL FROM:<b>\r\nDATA\r\n", [b"250 ok", b"250 ok", b"250 ok", b"503 RCPT first (#5.5.1)"]),
    (b"QUIT\r\nNOOP\r\n", [b"221 hello.example"]),
    (
        BEGIN + b"DATA\r\nhi\r\n.\r\nDATA\r\n",
        [b"250 ok"] * 2 + [b"354 go ahead", b"250 ok stored", b"503 MAIL first (#5.5.1)"],
    ),
    (
        b"MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nRCPT TO:<>\r\n",
        [
            b"250 ok",
            b"553 sorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)",
            b"555 syntax error (#5.5.4)",
        ],
    ),
    (
        b"MAIL FROM:<BAD@Elsewhere.example>\r\nRCPT TO:<a@ours.example>\r\n"
        b"MAIL FROM:<x@bad.example>\r\nRCPT TO:<a>\r\n",
        [b"250 ok", b"553 sorry, your envelope sender is in my badmailfrom list (#5.7.1)"] * 2,
    ),
    (
        BEGIN + b"DATA\r\n" + 101 * b"123456789\r\n" + b".\r\nNOOP\r\n",
        [b"250 ok"] * 2
        + [b"354 go ahead", b"552 sorry, that message size exceeds my databytes limit (#5.3.4)", b"250 ok"],
    ),
    (
        BEGIN + b"DATA\r\ndisk full\r\n.\r\n",
        [b"250 ok", b"250 ok", b"354 go ahead", b"451 unable to store this message (#4.3.0)"],
    ),
    (b"x" * LINE_LIMIT + b"\r\n", [b"500 line too long (#5.5.2)"]),
    (BEGIN + b"DATA\r\n" + b"x" * 9999, [b"250 ok", b"250 ok", b"354 go ahead", b"500 line too long (#5.5.2)"]),
]


@pytest.mark.parametrize("size", [0, 1])
@pytest.mark.parametrize(("said", "heard"), DIALOGUES, ids=lambda value: repr(value)[:30])
def test_dialogue(said: bytes, heard: Sequence[bytes], size: int) -> None:
    """Each command gets its reply in qmail's words, whole or one byte at a time."""
    assert Talk().say(said, size) == heard


WORDS = st.sampled_from(
    [b"MAIL FROM:<a@b>", b"RCPT TO:<x@ours.example>", b"RCPT TO:<c@d>", b"DATA", b".", b"..", b"RSET", b"QUIT"]
)
LINES = st.tuples(WORDS | st.binary(max_size=20), st.sampled_from([b"\r\n", b"\r\n", b"\r\n", b"\n", b"\r"]))


@given(st.lists(LINES, max_size=30), st.integers(1, 40))
def test_pieces_do_not_matter(lines: list[tuple[bytes, bytes]], size: int) -> None:
    """Whatever a client sends: replies and messages are the same in pieces of any size."""
    said = b"".join(word + end for word, end in lines)
    whole, pieces = Talk(), Talk()

    assert whole.say(said) == pieces.say(said, size)
    assert whole.stored == pieces.stored
    assert whole.session.finished == pieces.session.finished


def test_message() -> None:
    """Dot-stuffing is undone, lines end with LF, all else stays; the envelope is what was accepted."""
    conversation = Talk()
    text = b"Subject: \xe9\r\n\r\n..\r\n...x\r\na\rb\r\n.y\r\n\r\n"

    conversation.say(
        b"EHLO client\r\n" + BEGIN + b"RCPT TO:<c@d>\r\nRCPT TO:<e@a.below.example>\r\nDATA\r\n" + text + b".\r\n"
    )

    assert conversation.stored == [
        Message(
            b"client",
            b"a@elsewhere.example",
            (b"you@ours.example", b"e@a.below.example"),
            b"Subject: \xe9\n\n.\n..x\na\rb\ny\n\n",
        )
    ]


@pytest.mark.parametrize("end", [b"\n.\n", b"\r\n.\n", b"\n.\r\n", b"\n\n", b".\n"])
def test_bare_line_feed_ends_it(end: bytes) -> None:
    """No message can hide behind an end that only some servers see."""
    conversation = Talk()
    replies = conversation.say(BEGIN + b"DATA\r\nhi" + end + BEGIN + b"DATA\r\nsmuggled\r\n.\r\n")

    assert replies[3:] == [b"451 bare LF, see https://cr.yp.to/docs/smtplf.html"]
    assert conversation.session.finished
    assert not conversation.stored


def test_bare_carriage_return_is_text() -> None:
    """``CR . CR`` ends nothing."""
    conversation = Talk()
    conversation.say(BEGIN + b"DATA\r\nhi\r.\rthere\r\n.\r\n")

    assert conversation.stored[0].text == b"hi\r.\rthere\n"


@pytest.mark.parametrize(
    ("recipient", "taken"),
    [
        (b"you@ours.example", True),
        (b"YOU@OURS.Example", True),
        (b"postmaster", True),
        (b"you@a.ours.example", False),
        (b"you@theirs.example", False),
        (b"you@xours.example", False),
        (b"you@below.example", False),
        (b"you@a.below.example", True),
        (b"you@a.b.below.example", True),
        (b"you%theirs.example@ours.example", True),
        (b"you@ours.example@theirs.example", False),
        (b"you@", False),
    ],
)
def test_domains(recipient: bytes, taken: bool) -> None:
    """control/rcpthosts, as in rcpthosts.c."""
    assert CONTROL.takes(recipient) is taken
    assert Talk().codes(b"MAIL FROM:<>\r\nRCPT TO:<%s>\r\n" % recipient)[1] == (250 if taken else 553)


@pytest.mark.parametrize("relay", [b"", b"@relay.example"])
def test_relay(relay: bytes) -> None:
    """$RELAYCLIENT, even an empty one, opens the way and is appended to each recipient."""
    conversation = Talk(relay=relay)
    conversation.say(BEGIN + b"RCPT TO:<c@d>\r\nDATA\r\n.\r\n")

    assert conversation.stored[0].recipients == (b"you@ours.example" + relay, b"c@d" + relay)


def test_without_rcpthosts() -> None:
    """As in qmail, no file means every domain."""
    assert Control(b"me", b"me", None, frozenset(), 0).takes(b"you@theirs.example")


@pytest.mark.parametrize(
    ("argument", "expected"),
    [
        (b"FROM:<a@b>", b"a@b"),
        (b"FROM:<>", b""),
        (b"FROM:<a@b> SIZE=5 BODY=8BITMIME", b"a@b"),
        (b"FROM: a@b SIZE=5", b"a@b"),
        (b"FROM:a@b", b"a@b"),
        (b"TO:<@one,@two:a@b>", b"a@b"),
        (b"TO:<a@b", b"a@b"),
        (b"TO", None),
        (b"", None),
        (b"TO:<%s>" % (b"x" * ADDRESS_LIMIT), b"x" * ADDRESS_LIMIT),
        (b"TO:<%s>" % (b"x" * (ADDRESS_LIMIT + 1)), None),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_address(argument: bytes, expected: bytes | None) -> None:
    """What stands between the brackets, or after the colon."""
    assert address(argument) == expected


def test_counts() -> None:
    """Neither recipients nor commands without end."""
    recipients = Talk().codes(b"MAIL FROM:<a>\r\n" + b"RCPT TO:<you@ours.example>\r\n" * (RECIPIENT_LIMIT + 1))
    commands = Talk().codes(b"NOOP\r\n" * (COMMAND_LIMIT + 10))

    assert recipients == [250] * (RECIPIENT_LIMIT + 1) + [452]
    assert commands == [250] * COMMAND_LIMIT + [421]
