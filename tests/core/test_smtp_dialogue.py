"""The SMTP dialogue: each verb in each state, and what its session comes to."""

import pytest

from tests.support.dialogues import (
    BANNER,
    BYE,
    DENIED,
    EHLO,
    GO,
    GREETING,
    OK,
    QUEUED,
    RECIPIENT_OK,
    SENDER_OK,
    Talk,
    obliging,
    session,
)
from ucspi_py.core.smtp.envelope import Envelope
from ucspi_py.core.smtp.events import DataAsked, MessageEnded, RecipientGiven, TransactionDropped
from ucspi_py.core.smtp.path import NULL, Path
from ucspi_py.core.smtp.reply import reply
from ucspi_py.core.smtp.settings import SmtpSettings

HELP = b"214 2.0.0 Commands: DATA EHLO HELO HELP MAIL NOOP QUIT RCPT RSET VRFY\r\n"
NOT_IMPLEMENTED = b"502 5.5.1 Error: command not implemented\r\n"
NEED_MAIL = b"503 5.5.1 Error: need MAIL command\r\n"
NEED_RCPT = b"503 5.5.1 Error: need RCPT command\r\n"
NESTED = b"503 5.5.1 Error: nested MAIL command\r\n"
NO_RECIPIENTS = b"554 5.5.1 Error: no valid recipients\r\n"

NEW: tuple[bytes, ...] = ()
IDLE = (b"EHLO a.example\r\n",)
MAIL = (*IDLE, b"MAIL FROM:<s@example.net>\r\n")
RCPT = (*MAIL, b"RCPT TO:<r@example.org>\r\n")
STATES = (NEW, IDLE, MAIL, RCPT)

SENDER, RECIPIENT = Path(b"s", b"example.net"), Path(b"r", b"example.org")
ENVELOPE = Envelope(b"a.example", True, SENDER)
FULL = ENVELOPE._replace(recipients=(RECIPIENT,))


def reached(state: tuple[bytes, ...], settings: SmtpSettings | None = None) -> Talk:
    """A dialogue in a state."""
    talk = Talk(settings)
    talk.send(*state)
    talk.events.clear()
    return talk


#: Per verb the replies before HELO, idle, after MAIL and after RCPT (session.md, 3.5).
TABLE = [
    (b"HELO b", [b"250 gate.example\r\n"] * 4),
    (b"EHLO b", [EHLO] * 4),
    (b"HELO", [b"501 Syntax: HELO hostname\r\n"] * 4),
    (b"EHLO", [b"501 Syntax: EHLO hostname\r\n"] * 4),
    (b"MAIL FROM:<>", [SENDER_OK, SENDER_OK, NESTED, NESTED]),
    (b"RCPT TO:<x@example.org>", [NEED_MAIL, NEED_MAIL, RECIPIENT_OK, RECIPIENT_OK]),
    (b"DATA", [NEED_RCPT, NEED_RCPT, NO_RECIPIENTS, GO]),
    (b"DATA x", [NEED_RCPT, NEED_RCPT, NO_RECIPIENTS, b"501 5.5.4 Syntax: DATA\r\n"]),
    (b"RSET", [OK] * 4),
    (b"RSET x", [b"501 5.5.4 Syntax: RSET\r\n"] * 4),
    (b"NOOP", [OK] * 4),
    (b"noop x y", [OK] * 4),
    (b"HELP", [HELP] * 4),
    (b"HELP MAIL", [HELP] * 4),
    (b"VRFY r@example.org", [b"252 2.0.0 r@example.org\r\n"] * 4),
    (b"VRFY <r@example.org>", [b"252 2.0.0 <r@example.org>\r\n"] * 4),
    (b"VRFY", [b"501 5.5.4 Syntax: VRFY address\r\n"] * 4),
    (b"VRFY <>", [b"501 5.1.3 Bad recipient address syntax\r\n"] * 4),
    (b"VRFY a b", [b"501 5.1.3 Bad recipient address syntax\r\n"] * 4),
    (b"AUTH PLAIN AAAA", [b"503 5.5.1 Error: authentication not enabled\r\n"] * 4),
    *(
        (verb, [NOT_IMPLEMENTED] * 4)
        for verb in (
            b"STARTTLS",
            b"EXPN list",
            b"ETRN example.org",
            b"TURN",
            b"ATRN",
            b"SEND FROM:<a@b>",
            b"SOML FROM:<a@b>",
            b"SAML FROM:<a@b>",
            b"XCLIENT ADDR=1.2.3.4",
            b"XFORWARD ADDR=1.2.3.4",
        )
    ),
    (b"BDAT 10 LAST", [b"521 5.5.1 Error: command not implemented\r\n"] * 4),
    (b"QUIT", [BYE] * 4),
    (b"quit x", [BYE] * 4),
    (b"BLAH", [b"500 5.5.2 Error: command not recognized\r\n"] * 4),
    (b"", [b"500 5.5.2 Error: bad syntax\r\n"] * 4),
    (b" \t", [b"500 5.5.2 Error: bad syntax\r\n"] * 4),
]
CASES = [(line, number, said) for line, replies in TABLE for number, said in enumerate(replies)]


@pytest.mark.parametrize(("line", "number", "said"), CASES)
def test_each_verb_has_its_reply_in_each_state(line: bytes, number: int, said: bytes) -> None:
    """RFC 5321, 4.1.4; the words are Postfix's."""
    assert reached(STATES[number]).send(line + b"\r\n") == said


KEEPING = [
    b"NOOP",
    b"HELP",
    b"VRFY a@b",
    b"EXPN a",
    b"ETRN a",
    b"AUTH PLAIN",
    b"RSET x",
    b"HELO",
    b"MAIL FROM:<>",
    b"x",
]


@pytest.mark.parametrize("line", KEEPING)
def test_what_leads_nowhere_leaves_the_transaction_as_it_is(line: bytes) -> None:
    """Nobody hears of it, and the message may follow."""
    talk = reached(RCPT)
    talk.send(line + b"\r\n")

    assert talk.events == []
    assert talk.dialogue.envelope == FULL
    assert talk.send(b"DATA\r\n") == GO


@pytest.mark.parametrize("line", [b"RSET", b"HELO b", b"EHLO b"])
def test_a_transaction_ends_by_rset_helo_and_ehlo(line: bytes) -> None:
    """Whoever has heard of it is told."""
    talk = reached(RCPT)
    talk.send(line + b"\r\n")

    assert talk.events == [TransactionDropped(FULL)]
    assert talk.dialogue.envelope is None
    assert talk.dialogue.idle
    assert talk.send(b"DATA\r\n") == NEED_RCPT
    assert talk.send(b"MAIL FROM:<>\r\n") == SENDER_OK


@pytest.mark.parametrize("line", [b"RSET", b"HELO b", b"EHLO b"])
def test_nobody_hears_of_a_transaction_without_recipients(line: bytes) -> None:
    """No backend was told of it."""
    talk = reached(MAIL)
    talk.send(line + b"\r\n")

    assert talk.events == []
    assert talk.send(b"MAIL FROM:<>\r\n") == SENDER_OK


def test_the_banner_comes_first() -> None:
    """Without being asked."""
    talk = Talk()

    assert talk.said == BANNER
    assert talk.dialogue.last_verb == b"CONNECT"
    assert not talk.dialogue.finished


def test_a_message_goes_through_the_events() -> None:
    """One question per recipient, one at DATA, one at its end; only who was accepted is in the envelope."""
    talk = reached(MAIL)

    assert talk.send(b"RCPT TO:<no@example.org>\r\n") == DENIED
    assert talk.dialogue.idle
    assert talk.send(b"RCPT TO:<r@example.org>\r\n") == RECIPIENT_OK
    assert not talk.dialogue.idle
    assert talk.send(b"RCPT TO:<no@example.org>\r\n") == DENIED
    assert talk.send(b"DATA\r\n") == GO
    assert talk.dialogue.in_content
    assert talk.send(b"Subject: x\r\n\r\n..\r\n.\r\n") == QUEUED
    assert talk.events == [
        RecipientGiven(ENVELOPE, Path(b"no", b"example.org")),
        RecipientGiven(ENVELOPE, RECIPIENT),
        RecipientGiven(FULL, Path(b"no", b"example.org")),
        DataAsked(FULL),
        MessageEnded(FULL, 17),
    ]
    assert talk.content == b"Subject: x\r\n\r\n..\r\n"
    assert talk.dialogue.envelope is None
    assert talk.dialogue.idle
    assert talk.dialogue.last_verb == b"END-OF-MESSAGE"


def test_a_verdict_sticks_to_nobody_else() -> None:
    """Neither in the message nor in the next one."""
    talk = reached(IDLE)
    for _ in range(2):
        assert talk.send(b"MAIL FROM:<>\r\n") == SENDER_OK
        assert talk.send(b"RCPT TO:<no@example.org>\r\n") == DENIED
        assert talk.send(b"RCPT TO:<r@example.org>\r\n") == RECIPIENT_OK
        assert talk.send(b"RCPT TO:<no@example.org>\r\n") == DENIED
        assert talk.send(b"DATA\r\n", b".\r\n") == GO + QUEUED

    ended = [event.envelope.recipients for event in talk.events if isinstance(event, MessageEnded)]
    assert ended == [(RECIPIENT,), (RECIPIENT,)]


def test_helo_may_be_required() -> None:
    """smtpd_helo_required."""
    talk = Talk(SmtpSettings(helo_required=True))

    assert talk.send(b"MAIL FROM:<>\r\n") == b"503 5.5.1 Error: send HELO/EHLO first\r\n"
    assert talk.send(b"EHLO x\r\n") == EHLO
    assert talk.send(b"MAIL FROM:<>\r\n") == SENDER_OK


@pytest.mark.parametrize(
    ("argument", "name"),
    [
        (b"a.example", b"a.example"),
        (b"  a.example\t", b"a.example"),
        (b"[192.0.2.7]", b"[192.0.2.7]"),
        (b"a  b\tc", b"a?b?c"),
        (b'<a>(b)"c;d@e\\', b"?a??b??c?d?e?"),
        (b"caf\xc3\xa9", b"caf??"),
        (b"\x01\x7f", b"??"),
    ],
)
def test_a_name_is_safe_to_be_told(argument: bytes, name: bytes) -> None:
    """smtpd.c, helo_cmd: what could forge a log line or a header is a question mark."""
    talk = Talk()

    assert talk.send(b"EHLO " + argument + b"\r\n") == EHLO
    assert talk.dialogue.helo == name


def test_who_has_said_ehlo_speaks_esmtp_for_good() -> None:
    """smtpd.c, helo_cmd: it may pipeline, and its proto= stays ESMTP."""
    talk = Talk()
    assert not talk.dialogue.esmtp
    talk.send(b"HELO a\r\n")
    assert not talk.dialogue.esmtp
    talk.send(b"EHLO a\r\n")
    assert talk.dialogue.esmtp
    talk.send(b"HELO b\r\n")
    assert talk.dialogue.esmtp
    assert talk.dialogue.helo == b"b"


def test_vrfy_can_be_disabled() -> None:
    """disable_vrfy_command."""
    talk = Talk(SmtpSettings(disable_vrfy_command=True))

    assert talk.send(b"VRFY a@b\r\n") == b"502 5.5.1 VRFY command is disabled\r\n"


def test_what_vrfy_echoes_forges_no_reply() -> None:
    """A reply is one line of 512 bytes at most, of printable bytes."""
    said = Talk().send(b'VRFY "' + b"x" * 220 + b'\x1b[2J"\r\n', b"VRFY " + b"x" * 240 + b"\r\n")

    assert said == b"501 5.1.3 Bad recipient address syntax\r\n252 2.0.0 " + b"x" * 240 + b"\r\n"


PARAMETERS = [
    (b"SIZE=1000", SENDER_OK),
    (b"size=1000 body=8bitmime", SENDER_OK),
    (b"BODY=7BIT", SENDER_OK),
    (b"SIZE=1001", b"552 5.3.4 Message size exceeds fixed limit\r\n"),
    (b"SIZE=" + b"9" * 30, b"552 5.3.4 Message size exceeds file system imposed limit\r\n"),
    (b"SIZE=x", b"501 5.5.4 Bad message size syntax\r\n"),
    (b"SIZE=-1", b"501 5.5.4 Bad message size syntax\r\n"),
    (b"SIZE=\xb2", b"553 5.6.7 Must declare SMTPUTF8 to send unicode address\r\n"),
    (b"SIZE", b"555 5.5.4 Unsupported option: SIZE\r\n"),
    (b"SIZE=1 SIZE=1", b"501 5.5.4 Duplicate parameter: SIZE\r\n"),
    (b"BODY=BINARYMIME", b"555 5.5.4 Unsupported option: BODY=BINARYMIME\r\n"),
    (b"BODY", b"555 5.5.4 Unsupported option: BODY\r\n"),
    (b"SIZE=1 FOO=1", b"555 5.5.4 Unsupported option: FOO=1\r\n"),
    (b"AUTH=<>", b"555 5.5.4 Unsupported option: AUTH=<>\r\n"),
    (b"RET=HDRS", b"555 5.5.4 Unsupported option: RET=HDRS\r\n"),
    (b"SMTPUTF8", b"555 5.5.4 Unsupported option: SMTPUTF8\r\n"),
]


@pytest.mark.parametrize(("parameters", "said"), PARAMETERS)
def test_mail_takes_the_parameters_that_are_announced(parameters: bytes, said: bytes) -> None:
    """Within the size that is announced; a refusal leaves no transaction behind."""
    talk = Talk(greeting=GREETING._replace(size=1000))
    talk.send(b"EHLO x\r\n")

    assert talk.send(b"MAIL FROM:<a@b> " + parameters + b"\r\n") == said
    assert (talk.dialogue.envelope is not None) == (said == SENDER_OK)


def test_the_parameters_of_mail_stand_in_the_envelope() -> None:
    """The backend is told of those that it knows."""
    talk = Talk()
    talk.send(b"EHLO x\r\n", b"MAIL FROM:<> size=9223372036854775807 BODY=8bitmime\r\n")

    parameters = ((b"SIZE", b"9223372036854775807"), (b"BODY", b"8bitmime"))
    assert talk.dialogue.envelope == Envelope(b"x", True, NULL, parameters)


@pytest.mark.parametrize("parameter", [b"NOTIFY=NEVER", b"ORCPT=rfc822;a@b", b"FOO"])
def test_rcpt_takes_no_parameter(parameter: bytes) -> None:
    """We announce none."""
    talk = reached(MAIL)

    assert talk.send(b"RCPT TO:<r@example.org> " + parameter + b"\r\n") == (
        b"555 5.5.4 Unsupported option: " + parameter + b"\r\n"
    )
    assert talk.events == []


def test_smtputf8_must_be_declared_where_it_is_taken() -> None:
    """RFC 6531, 3.4; the reply is Postfix's."""
    must = b"553 5.6.7 Must declare SMTPUTF8 to send unicode address\r\n"
    talk = Talk(SmtpSettings(smtputf8_enable=True))

    assert b"250 SMTPUTF8\r\n" in talk.send(b"EHLO x\r\n")
    assert talk.send(b"MAIL FROM:<\xc3\xa9@b>\r\n") == must
    assert talk.send(b"MAIL FROM:<>\r\n", b"RCPT TO:<\xc3\xa9@b>\r\n") == SENDER_OK + must
    assert talk.send(b"RSET\r\n", b"MAIL FROM:<\xc3\xa9@b> SMTPUTF8\r\n") == OK + SENDER_OK
    assert talk.send(b"RCPT TO:<\xc3\xa9@b>\r\n") == RECIPIENT_OK
    assert talk.send(b"MAIL FROM:<\xe9@b> SMTPUTF8\r\n") == b"500 5.5.2 Error: bad UTF-8 syntax\r\n"


def test_recipients_beyond_the_limit_are_put_off() -> None:
    """smtpd_recipient_limit: those before it are delivered, and only so many of the others are no errors."""
    too_many = b"452 4.5.3 Error: too many recipients\r\n"
    talk = Talk(SmtpSettings(recipient_limit=3, recipient_overshoot_limit=2))
    talk.send(*MAIL, *(b"RCPT TO:<r%d@example.org>\r\n" % number for number in range(3)))

    assert talk.send(*[b"RCPT TO:<more@example.org>\r\n"] * 4) == too_many * 4
    assert talk.dialogue.counts[b"RCPT"] == [5, 7]
    assert talk.send(b"DATA\r\n", b".\r\n") == GO + QUEUED
    assert [len(event.envelope.recipients) for event in talk.events if isinstance(event, MessageEnded)] == [3]
    assert talk.send(b"MAIL FROM:<>\r\n", b"RCPT TO:<r@example.org>\r\n") == SENDER_OK + RECIPIENT_OK


def test_recipients_beyond_the_limit_are_counted_anew_in_each_message() -> None:
    """As they are in Postfix."""
    talk = Talk(SmtpSettings(recipient_limit=1, recipient_overshoot_limit=1))
    for _ in range(15):
        talk.send(*RCPT[1:], RCPT[2], b"RSET\r\n")

    assert talk.dialogue.counts[b"RCPT"] == [30, 30]
    assert talk.pauses == 0


@pytest.mark.parametrize("code", [421, 521])
@pytest.mark.parametrize("stage", range(3))
def test_an_answer_that_hangs_up_ends_the_session(code: int, stage: int) -> None:
    """RFC 5321, 3.8 and Postfix: behind RCPT, DATA and content."""
    kind = (RecipientGiven, DataAsked, MessageEnded)[stage]
    talk = Talk(backend=lambda event: reply(code, b"x") if isinstance(event, kind) else obliging(event))
    talk.send(*RCPT, b"DATA\r\n", b".\r\n", b"NOOP\r\n")

    assert talk.said.endswith(b"%d x\r\n" % code)
    assert talk.dialogue.finished
    assert talk.dialogue.end == b"hangup"


def test_a_refused_data_leaves_the_transaction() -> None:
    """As with Postfix behind a proxy: the client may ask again."""
    answers = iter([reply(250, b"y"), reply(451, b"4.3.0 later"), reply(354, b"go"), reply(451, b"4.3.0 no")])
    talk = Talk(backend=lambda _event: next(answers))
    talk.send(*RCPT)
    assert talk.send(b"DATA\r\n") == b"451 4.3.0 later\r\n"
    assert talk.send(b"DATA\r\n") == b"354 go\r\n"
    assert talk.send(b".\r\n") == b"451 4.3.0 no\r\n"
    assert talk.dialogue.envelope is None
    assert talk.dialogue.counts[b"DATA"] == [0, 2]


def test_who_quits_is_told_so_and_counted() -> None:
    """The counts are of Postfix's line `disconnect from`."""
    talk = reached(RCPT)
    talk.send(b"RCPT TO:<no@example.org>\r\n", b"BLAH\r\n")

    assert talk.send(b"QUIT\r\nNOOP\r\n") == BYE
    assert talk.dialogue.finished
    assert (talk.dialogue.end, talk.dialogue.last_verb) == (b"quit", b"QUIT")
    assert talk.dialogue.counts == {
        b"EHLO": [1, 1],
        b"MAIL": [1, 1],
        b"RCPT": [1, 2],
        b"UNKNOWN": [0, 1],
        b"QUIT": [1, 1],
    }


def test_bdat_ends_the_session() -> None:
    """RFC 3030: the octets behind it would come as commands."""
    talk = reached(RCPT)

    assert talk.send(b"BDAT 10 LAST\r\nMAIL FROM:<>\r\n") == b"521 5.5.1 Error: command not implemented\r\n"
    assert talk.dialogue.finished
    assert talk.dialogue.last_verb == b"BDAT"
    assert talk.dialogue.envelope == FULL


def test_a_session_can_be_closed_from_outside() -> None:
    """With a last reply, or without."""
    timeout = reply(421, b"4.4.2 gate.example Error: timeout exceeded")
    told, silent = Talk(), Talk()
    told.dialogue.close(timeout, b"timeout")
    silent.dialogue.close(None)

    assert (told.send(b"NOOP\r\n"), told.dialogue.end) == (timeout.wire, b"timeout")
    assert (silent.send(b"NOOP\r\n"), silent.dialogue.end) == (b"", b"closed")
    assert told.dialogue.finished and silent.dialogue.finished


def test_an_answer_behind_the_end_is_heard_by_nobody() -> None:
    """A backend that is late, when the client was left meanwhile."""
    talk = reached(MAIL)
    talk.dialogue.receive(b"RCPT TO:<r@example.org>\r\n")
    assert talk.dialogue.next() is not None
    talk.dialogue.close(None)
    talk.dialogue.answer(reply(250, b"2.1.5 Ok"))

    assert talk.dialogue.take_output() == b""
    assert talk.dialogue.idle


def test_a_client_that_half_closes_is_served_to_the_end() -> None:
    """Whole lines are carried out and answered; the rest of one is none."""
    whole = session([b"EHLO x\r\n", b"MAIL FROM:<>\r\nRCPT TO:<r@example.org>\r\nDATA\r\n", b"x\r\n.\r\nQUIT\r\n"])
    lost = session([b"EHLO x\r\n", b"NOOP\r\n", b"QUIT"])

    assert whole.said == BANNER + EHLO + SENDER_OK + RECIPIENT_OK + GO + QUEUED + BYE
    assert whole.end == b"quit"
    assert lost.said == BANNER + EHLO + OK
    assert lost.end == b"lost connection"


def test_a_half_close_waits_for_an_answer_that_is_due() -> None:
    """The session is not over before."""
    talk = reached(MAIL)
    talk.dialogue.receive(b"RCPT TO:<r@example.org>\r\nNOOP\r\n")
    assert talk.dialogue.next() is not None
    talk.dialogue.receive_end()

    assert talk.dialogue.next() is None
    assert not talk.dialogue.finished
    talk.dialogue.answer(reply(250, b"2.1.5 Ok"))
    talk.go_on()
    assert talk.said.endswith(RECIPIENT_OK + OK)
    assert (talk.dialogue.finished, talk.dialogue.end) == (True, b"lost connection")
