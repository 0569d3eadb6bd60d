"""The SMTP dialogue: lines that are no commands, clients that make errors, other protocols."""

import tracemalloc

import pytest

from tests.support.dialogues import BANNER, BYE, EHLO, GO, OK, QUEUED, SENDER_OK, Talk, obliging
from ucspi_py.core.smtp.events import MessageEnded, Paused, RecipientGiven
from ucspi_py.core.smtp.reply import reply
from ucspi_py.core.smtp.settings import BareNewline, SmtpSettings

UNKNOWN = b"500 5.5.2 Error: command not recognized\r\n"
BAD = b"500 5.5.2 Error: bad syntax\r\n"
LONG = b"500 5.5.2 gate.example Error: command too long\r\n"
BARE = b"500 5.5.2 gate.example Error: bare <LF> received\r\n"
GOODBYE = b"221 2.7.0 Error: I can break rules, too. Goodbye.\r\n"
TOO_MANY = b"421 4.7.0 gate.example Error: too many errors\r\n"
NO_UTF8 = b"553 5.6.7 Must declare SMTPUTF8 to send unicode address\r\n"

MESSAGE = (b"MAIL FROM:<>\r\n", b"RCPT TO:<r@example.org>\r\n", b"DATA\r\n", b".\r\n")

LINES = [
    (b"NO\0OP\r\n", BAD),
    (b"NOOP\0\r\n", BAD),
    (b"MAIL FROM:<a@b>\0\r\n", BAD),
    (b"NO\rOP\r\n", BAD),
    (b"NOOP\r\r\n", BAD),
    (b"NOOP\n", BARE),
    (b"NOOP\nNOOP\r\n", BARE + OK),
    (b"x" * 2048 + b"\r\n", UNKNOWN),
    (b"x" * 2049 + b"\r\n", LONG),
    (b"x" * 3000 + b"\r\nHELP\r\n"[:2], LONG),
    (b"x" * 300_000 + b"\r\n", LONG),
    (b"MAIL FROM:<\xc3\xa9@b>\r\n", NO_UTF8),
    (b"NOOP \xe9\r\n", OK),
    (b" NOOP\r\n", OK),
    (b"\tnoop\tx\r\n", OK),
]


@pytest.mark.parametrize(("line", "said"), LINES)
def test_a_line_gets_one_reply(line: bytes, said: bytes) -> None:
    """Whatever is wrong with it, and the next command works."""
    talk = Talk()
    talk.send(b"EHLO x\r\n")

    assert talk.send(line) == said
    assert talk.send(b"MAIL FROM:<>\r\n") == SENDER_OK


@pytest.mark.parametrize("size", [1, 7, 2048, 4096])
def test_a_line_that_is_too_long_is_one_error_however_it_comes(size: int) -> None:
    """The rest of it is no command."""
    data = b"x" * 5000 + b" NOOP\r\nNOOP\r\n"
    talk = Talk()
    talk.send(b"EHLO x\r\n")

    said = talk.send(*(data[start : start + size] for start in range(0, len(data), size)))

    assert said == LONG + OK
    assert talk.dialogue.counts[b"UNKNOWN"] == [0, 1]


@pytest.mark.parametrize("asked", [BareNewline.NO, BareNewline.NORMALIZE])
def test_a_command_may_end_in_a_bare_lf_where_a_message_may_have_one(asked: BareNewline) -> None:
    """smtpd_forbid_bare_newline: the same for commands and content."""
    talk = Talk(SmtpSettings(forbid_bare_newline=asked))

    assert talk.send(b"EHLO x\n", b"NOOP\n") == EHLO + OK


def test_a_command_of_an_excepted_client_may_end_in_a_bare_lf() -> None:
    """smtpd_forbid_bare_newline_exclusions: old scripts."""
    assert Talk(excepted=True).send(b"EHLO x\n", b"MAIL FROM:<\xc3\xa9@b>\n") == EHLO + NO_UTF8


FOREIGN = [
    (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"GET / HTTP/1.1"),
    (b"POST /\r\n", b"POST /"),
    (b"connect x:25 HTTP/1.0\r\n", b"connect x:25 HTTP/1.0"),
    (b"Subject: x\r\n", b"Subject: x"),
    (b"123\r\n", b"123"),
    (b" {\r\n", b" {"),
    (b"\xe9\r\n", b"\xe9"),
    (b"\x16\x03\x01\x02\x00\x01\xfc\r\n\0", b"\x16\x03\x01\x02\x00\x01\xfc"),
    (b"\x16\x03\x01\x02\x00\x01", b"\x16\x03\x01\x02\x00\x01"),
    (b"\x16", b"\x16"),
    (b"\x80\x2e\x01", b"\x80\x2e\x01"),
    (b"\x16" + b"x" * 200, b"\x16" + b"x" * 99),
    (b"GET " + b"x" * 200 + b"\r\n", b"GET " + b"x" * 96),
]


@pytest.mark.parametrize(("data", "excess"), FOREIGN)
def test_who_speaks_another_protocol_is_left(data: bytes, excess: bytes) -> None:
    """At once, without a line end to wait for; what it has said first is kept for the log."""
    talk = Talk()

    assert talk.send(data, b"NOOP\r\n") == GOODBYE
    assert talk.dialogue.finished
    assert (talk.dialogue.end, talk.dialogue.last_verb, talk.dialogue.excess) == (b"not SMTP", b"CONNECT", excess)
    assert talk.dialogue.counts == {b"UNKNOWN": [0, 1]}


@pytest.mark.parametrize("line", [b"GETS", b"HEAD / HTTP/1.1", b"x\x16"])
def test_a_word_that_we_do_not_know_is_no_other_protocol(line: bytes) -> None:
    """A client may err."""
    assert Talk().send(line + b"\r\n") == UNKNOWN


def test_who_only_errs_waits_and_then_is_left() -> None:
    """smtpd_soft_error_limit, smtpd_error_sleep_time and smtpd_hard_error_limit, as smtpd.c counts."""
    talk = Talk()

    assert talk.send(*[b"BLAH\r\n"] * 10) == UNKNOWN * 10
    assert talk.events == []
    assert talk.send(*[b"BLAH\r\n"] * 9) == UNKNOWN * 9
    assert talk.events == [Paused(1)] * 9
    assert talk.send(b"BLAH\r\nBLAH\r\n") == UNKNOWN + TOO_MANY
    assert talk.events == [Paused(1)] * 11
    assert talk.dialogue.finished
    assert (talk.dialogue.end, talk.dialogue.last_verb) == (b"too many errors", b"UNKNOWN")
    assert talk.dialogue.counts == {b"UNKNOWN": [0, 20]}


def test_a_reply_waits_for_its_pause_to_end() -> None:
    """And whatever comes meanwhile."""
    talk = Talk(SmtpSettings(soft_error_limit=0, error_sleep_time=3))
    dialogue = talk.dialogue
    dialogue.receive(b"BLAH\r\n")

    assert dialogue.next() == Paused(3)
    assert dialogue.next() is None
    dialogue.receive(b"QUIT\r\n")
    assert dialogue.next() is None
    assert dialogue.take_output() == b""
    dialogue.resume()
    assert dialogue.take_output() == UNKNOWN
    assert dialogue.next() == Paused(3)
    assert not dialogue.finished
    dialogue.resume()
    assert dialogue.take_output() == BYE
    assert dialogue.finished
    assert dialogue.next() is None


def test_who_waits_for_a_pause_may_be_closed() -> None:
    """Its reply comes first, and the pause has an end that nobody hears."""
    dialogue = Talk(SmtpSettings(soft_error_limit=0)).dialogue
    dialogue.receive(b"BLAH\r\n")
    assert dialogue.next() == Paused(1)
    dialogue.close(reply(421, b"4.3.2 bye"), b"leaving")

    assert dialogue.take_output() == UNKNOWN + b"421 4.3.2 bye\r\n"
    assert (dialogue.finished, dialogue.end) == (True, b"leaving")
    dialogue.resume()
    assert (dialogue.next(), dialogue.take_output()) == (None, b"")


def test_even_who_speaks_another_protocol_waits_for_a_pause() -> None:
    """There is no line end that it would come behind."""
    dialogue = Talk(SmtpSettings(soft_error_limit=0)).dialogue
    dialogue.receive(b"\x16\x03\x01")

    assert dialogue.next() == Paused(1)
    assert not dialogue.finished
    dialogue.resume()
    assert (dialogue.take_output(), dialogue.finished) == (GOODBYE, True)


def test_there_are_no_pauses_where_none_are_asked_for() -> None:
    """smtpd_error_sleep_time = 0."""
    talk = Talk(SmtpSettings(error_sleep_time=0))

    assert talk.send(*[b"BLAH\r\n"] * 30) == UNKNOWN * 20 + TOO_MANY
    assert talk.pauses == 0


ERRORS = [
    b"HELO",
    b"MAIL",
    b"MAIL FROM:<a b>",
    b"MAIL FROM:<> FOO",
    b"RCPT TO:<a@b>",
    b"DATA",
    b"RSET x",
    b"VRFY",
    b"EXPN a",
    b"STARTTLS",
    b"AUTH",
    b"",
    b"NOOP\0",
    b"x" * 2049,
]


@pytest.mark.parametrize("line", ERRORS)
def test_whatever_is_refused_is_an_error(line: bytes) -> None:
    """So nobody can ask us forever."""
    talk = Talk(SmtpSettings(error_sleep_time=0))
    talk.send(b"EHLO x\r\n", *[line + b"\r\n"] * 30)

    assert talk.said.count(TOO_MANY) == 1
    assert talk.dialogue.end == b"too many errors"
    assert sum(every for _, every in talk.dialogue.counts.values()) == 21


@pytest.mark.parametrize("code", [450, 554])
def test_a_refused_recipient_is_an_error(code: int) -> None:
    """smtpd.c: whoever has refused it."""
    talk = Talk(SmtpSettings(error_sleep_time=0), backend=lambda _event: reply(code, b"x"))
    talk.send(b"EHLO x\r\n", b"MAIL FROM:<>\r\n", *[b"RCPT TO:<a@b>\r\n"] * 30)

    assert talk.dialogue.counts[b"RCPT"] == [0, 20]
    assert talk.said.endswith(b"%d x\r\n" % code + TOO_MANY)


def test_a_refused_message_is_an_error() -> None:
    """And DATA is counted once."""
    talk = Talk(backend=lambda event: reply(550, b"no") if isinstance(event, MessageEnded) else obliging(event))
    talk.send(b"EHLO x\r\n", *MESSAGE * 10)
    assert talk.pauses == 0
    talk.send(b"NOOP\r\n")

    assert talk.pauses == 1
    assert talk.dialogue.counts[b"DATA"] == [0, 10]


def test_an_accepted_message_forgives() -> None:
    """smtpd.c: errors and junk are counted anew."""
    talk = Talk(SmtpSettings(junk_command_limit=5))
    for _ in range(5):
        talk.send(*[b"BLAH\r\n"] * 9, *[b"NOOP\r\n"] * 6, *MESSAGE)

    assert talk.pauses == 0
    assert talk.said.count(QUEUED) == 5


def test_even_an_accepted_message_is_awaited_with_patience() -> None:
    """smtpd.c: 354 comes slowly, the reply behind the message at once."""
    talk = Talk()
    talk.send(b"EHLO x\r\n", *[b"BLAH\r\n"] * 10, *MESSAGE[:2])
    assert talk.pauses == 2
    assert (talk.send(MESSAGE[2]), talk.pauses) == (GO, 3)
    assert (talk.send(MESSAGE[3]), talk.pauses) == (QUEUED, 3)


@pytest.mark.parametrize("line", [b"NOOP", b"RSET", b"HELO x", b"EHLO x", b"VRFY a@b", b"HELP"])
def test_junk_is_free_up_to_a_limit(line: bytes) -> None:
    """smtpd_junk_command_limit: 101 of them, then each is an error (Debian's Postfix: 421 behind the 121st)."""
    talk = Talk(SmtpSettings(error_sleep_time=0))
    talk.send(*[line + b"\r\n"] * 121)

    assert talk.said.endswith(TOO_MANY)
    assert [every for _, every in talk.dialogue.counts.values()] == [121]
    assert talk.dialogue.end == b"too many errors"


def test_a_late_answer_of_a_client_that_errs_waits_too() -> None:
    """The pause begins when the answer is there."""
    talk = Talk(SmtpSettings(soft_error_limit=0))
    talk.send(b"EHLO x\r\n", b"MAIL FROM:<>\r\n")
    dialogue = talk.dialogue
    dialogue.receive(b"RCPT TO:<a@b>\r\n")

    assert isinstance(dialogue.next(), RecipientGiven)
    dialogue.answer(reply(250, b"2.1.5 Ok"))
    assert dialogue.take_output() == b""
    assert dialogue.next() == Paused(1)
    dialogue.resume()
    assert dialogue.take_output() == b"250 2.1.5 Ok\r\n"
    assert not dialogue.idle


def test_an_idle_session_is_small() -> None:
    """2,000 of them wait in a worker; what is read ahead of a long line is bounded."""
    talks = [Talk() for _ in range(200)]
    tracemalloc.start()
    dialogues = [Talk().dialogue for _ in talks]
    for number, dialogue in enumerate(dialogues):
        dialogue.receive(b"EHLO client%d.example\r\n" % number)
        dialogue.next()
        dialogue.take_output()
    size = tracemalloc.get_traced_memory()[0]
    dialogues[0].receive(b"x" * 100_000)
    dialogues[0].next()
    tracemalloc.stop()

    assert size / len(dialogues) < 2048
    assert dialogues[0].buffered <= 2049
    assert dialogues[1].buffered == 0


def test_what_comes_behind_the_end_is_not_kept() -> None:
    """In commands, and in content."""
    quitting, lost = Talk(), Talk()
    quitting.send(b"QUIT\r\n")
    lost.send(b"EHLO x\r\n", *MESSAGE[:3])
    lost.dialogue.close(None)
    for talk in (quitting, lost):
        talk.send(b"x" * 10_000)

        assert talk.dialogue.buffered == 0
    assert quitting.said == BANNER + BYE
