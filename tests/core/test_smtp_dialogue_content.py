"""The SMTP dialogue: content, its end, and messages that must not pass."""

import pytest

from tests.support.dialogues import BYE, EHLO, GO, GREETING, OK, QUEUED, RECIPIENT_OK, SENDER_OK, Talk, obliging
from ucspi_py.core.smtp.envelope import Envelope
from ucspi_py.core.smtp.events import ContentGiven, DataAsked, MessageEnded, MessageRefused
from ucspi_py.core.smtp.path import NULL, Path
from ucspi_py.core.smtp.reply import Reply, reply
from ucspi_py.core.smtp.settings import BareNewline, SmtpSettings

ENVELOPE = Envelope(b"x", True, NULL, (), (Path(b"r", b"example.org"),))
START = (b"EHLO x\r\n", b"MAIL FROM:<>\r\n", b"RCPT TO:<r@example.org>\r\n", b"DATA\r\n")
STARTED = EHLO + SENDER_OK + RECIPIENT_OK + GO
BARE = reply(550, b"5.5.2 gate.example Error: bare <LF> received")
TOO_BIG = reply(552, b"5.3.4 Error: message file too big")

#: What other servers took for the end of a message (CVE-2023-51764 and its kin), with a message of the attacker behind.
EVIL = b"MAIL FROM:<evil@example.net>\r\nRCPT TO:<evil@example.org>\r\nDATA\r\nevil\r\n"
ENDS = [
    b"\n.\n",
    b"\n.\r\n",
    b"\r\n.\n",
    b"\r.\r",
    b"\r.\r\n",
    b"\n.\r",
    b"\r\n.\r",
    b"\r\r\n.\r\r\n",
    b"\r\n.\r\r\n",
    b"\r\n\0.\r\n",
]


def in_content(settings: SmtpSettings | None = None, *, limit: int = 0, excepted: bool = False) -> Talk:
    """A dialogue that has said 354."""
    talk = Talk(settings, GREETING._replace(content_limit=limit), excepted=excepted)
    assert talk.send(*START) == STARTED
    talk.events.clear()
    return talk


def pieces(data: bytes, size: int) -> list[bytes]:
    """Data in pieces of one size."""
    return [data[start : start + size] for start in range(0, len(data), size)]


@pytest.mark.parametrize("size", [1, 2, 3, 1000])
@pytest.mark.parametrize(
    ("data", "content"),
    [
        (b".\r\n", b""),
        (b"x\r\n.\r\n", b"x\r\n"),
        (b"..\r\n...\r\n..x\r\n.\r\n", b"..\r\n...\r\n..x\r\n"),
        (b".x\r\n.\r\n", b"x\r\n"),
        (b"a\rb\0c\xe9\r\n.\r\n", b"a\rb\0c\xe9\r\n"),
        (b"NOOP\r\nQUIT\r\n.\r\n", b"NOOP\r\nQUIT\r\n"),
    ],
)
def test_content_is_passed_as_it_is(data: bytes, content: bytes, size: int) -> None:
    """Framed for the backend, and no command in it."""
    talk = in_content()

    assert talk.send(*pieces(data, size)) == QUEUED
    assert talk.content == content
    assert len(talk.events) == 1
    assert not talk.dialogue.in_content
    assert talk.send(b"QUIT\r\n") == BYE


def test_content_is_passed_while_it_comes() -> None:
    """Nothing of it is kept; its size is known for the log."""
    dialogue = in_content().dialogue
    for number in range(1, 4):
        dialogue.receive(b"x" * 65536)
        assert dialogue.buffered == 65536
        assert dialogue.next() == ContentGiven(b"x" * 65536)
        assert dialogue.next() is None
        assert (dialogue.buffered, dialogue.content_size, dialogue.last_verb) == (0, number * 65536, b"DATA")
    assert dialogue.take_output() == b""


@pytest.mark.parametrize("size", [1, 1000])
@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize(
    ("settings", "excepted"), [(None, False), (None, True), (SmtpSettings(forbid_bare_newline=BareNewline.NO), False)]
)
def test_no_message_is_smuggled(settings: SmtpSettings | None, excepted: bool, end: bytes, size: int) -> None:
    """There is one message or none; what stands behind another end is content, and never a command."""
    talk = in_content(settings, excepted=excepted)
    talk.send(*pieces(b"x" + end + EVIL + b".\r\n", size))
    talk.send(b"QUIT\r\n")

    assert [type(event) for event in talk.events] in ([MessageEnded], [MessageRefused])
    assert talk.dialogue.counts == {verb: [1, 1] for verb in (b"EHLO", b"MAIL", b"RCPT", b"QUIT")} | {
        b"DATA": [int(isinstance(talk.events[0], MessageEnded)), 1]
    }
    assert talk.said.endswith(BYE)


@pytest.mark.parametrize("size", [1, 4, 1000])
def test_a_message_with_a_bare_lf_is_refused_at_its_true_end(size: int) -> None:
    """smtpd_forbid_bare_newline = reject: nothing passes from there on, and the session goes on."""
    talk = in_content()
    assert talk.send(*pieces(b"one\r\ntwo\nthree\n.\nQUIT\r\nmore\r\n", size)) == b""
    before = len(talk.content)
    assert talk.send(*pieces(b"still\r\n.\r\nNOOP", size), b"\r\n") == BARE.wire + OK
    assert before == len(talk.content)
    assert talk.content.startswith(b"one\r\ntwo"[: len(talk.content)])

    assert talk.events == [MessageRefused(ENVELOPE, BARE, talk.events[0].size)]  # type: ignore[union-attr]
    assert talk.dialogue.envelope is None
    assert talk.dialogue.counts[b"DATA"] == [0, 1]
    assert talk.send(b"MAIL FROM:<>\r\n") == SENDER_OK


def test_the_code_of_that_refusal_may_be_another() -> None:
    """smtpd_forbid_bare_newline_reject_code; 421 hangs up."""
    talk = in_content(SmtpSettings(bare_newline_reject_code=421))

    assert talk.send(b"x\ny\r\n.\r\nNOOP\r\n") == b"421 5.5.2 gate.example Error: bare <LF> received\r\n"
    assert talk.dialogue.end == b"hangup"


@pytest.mark.parametrize(
    ("settings", "excepted"), [(None, True), (SmtpSettings(forbid_bare_newline=BareNewline.NORMALIZE), False)]
)
def test_bare_lfs_may_be_normalized(settings: SmtpSettings | None, excepted: bool) -> None:
    """For excepted clients they are; a lone dot with a bare LF is dropped (smtpd.c)."""
    talk = in_content(settings, excepted=excepted)

    assert talk.send(b"one\ntwo\n.\nthree\r\n.\r\n") == QUEUED
    assert talk.content == b"one\r\ntwo\r\nthree\r\n"


@pytest.mark.parametrize("size", [1, 4, 1000])
@pytest.mark.parametrize(
    ("body", "fits"), [(b"12345678\r\n", True), (b"123456789\r\n", False), (b"..23456789\r\n" * 9, False)]
)
def test_a_message_over_the_limit_is_refused_at_its_end(body: bytes, fits: bool, size: int) -> None:
    """The limit is of bytes of content, dots as they were before they were doubled."""
    talk = in_content(limit=10)
    said = talk.send(*pieces(body + b".\r\n", size))

    assert said == (QUEUED if fits else TOO_BIG.wire)
    assert len(talk.content) <= 11
    if not fits:
        sized = talk.events[0]
        assert isinstance(sized, MessageRefused)
        assert (sized.envelope, sized.reply, sized.size) == (ENVELOPE, TOO_BIG, len(body.replace(b"..", b".")))
    assert talk.send(b"NOOP\r\n") == OK


def test_a_client_that_is_lost_in_content_stays_there() -> None:
    """For the line `lost connection after DATA (n bytes)`; the message has no end."""
    talk = in_content()
    talk.send(b"x" * 100 + b"\r\n.\r")
    assert talk.end() == b""

    assert (talk.dialogue.finished, talk.dialogue.end) == (True, b"lost connection")
    assert (talk.dialogue.in_content, talk.dialogue.last_verb, talk.dialogue.idle) == (True, b"DATA", False)
    assert talk.dialogue.content_size >= 100
    assert talk.events == []


def test_a_client_may_half_close_behind_its_message() -> None:
    """The message is delivered, and the replies are written."""
    talk = in_content()
    talk.dialogue.receive(b"x\r\n.\r\nQUIT\r\n")
    talk.dialogue.receive_end()
    talk.go_on()

    assert talk.said.endswith(QUEUED + BYE)
    assert talk.dialogue.end == b"quit"


def test_what_waits_behind_content_waits_for_its_answer() -> None:
    """And what comes meanwhile."""
    talk = in_content()
    dialogue = talk.dialogue
    dialogue.receive(b"x\r\n.\r\nRSET\r\n")
    assert dialogue.next() == ContentGiven(b"x\r\n")
    assert dialogue.next() == MessageEnded(ENVELOPE, 3)
    dialogue.receive(b"QUIT\r\n")
    assert (dialogue.next(), dialogue.waits, dialogue.idle, dialogue.in_content) == (None, True, False, False)
    assert dialogue.buffered == 12
    dialogue.answer(reply(250, b"2.0.0 Ok: queued"))
    talk.go_on()

    assert talk.said.endswith(QUEUED + OK + BYE)


@pytest.mark.parametrize("answer", [reply(451, b"4.3.0 no"), reply(554, b"5.3.0 no", b"never")])
def test_the_reply_to_a_message_is_the_backends(answer: Reply) -> None:
    """Every line of it; the session goes on."""
    talk = Talk(backend=lambda event: answer if isinstance(event, MessageEnded) else obliging(event))
    talk.send(*START)

    assert talk.send(b".\r\nRSET\r\n") == answer.wire + OK
    assert talk.dialogue.envelope is None


def test_a_slow_354_holds_content_back() -> None:
    """A client with too many errors that does not wait for it (spared, or it would be left)."""
    talk = Talk(SmtpSettings(soft_error_limit=0), excepted=True)
    talk.send(*START[:3])
    dialogue = talk.dialogue
    dialogue.receive(b"DATA\r\nx\r\n.\r\n")
    assert isinstance(dialogue.next(), DataAsked)
    dialogue.answer(reply(354, b"go"))
    dialogue.next()
    assert dialogue.take_output() == b""
    talk.dialogue.resume()
    assert dialogue.take_output() == b"354 go\r\n"
    talk.go_on()

    assert talk.content == b"x\r\n"
