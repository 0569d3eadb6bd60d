"""The lines of one session at the gate: how each end is told, and a screen's verdict once."""

import os

import pytest

from tests.support.admission import Lines
from tests.support.dialogues import GREETING, obliging
from tests.support.gate_room import Clock
from ucspi_py.core.gate.visitor import Visitor
from ucspi_py.core.smtp.dialogue import Dialogue
from ucspi_py.core.smtp.envelope import Envelope
from ucspi_py.core.smtp.events import DataAsked, Paused, RecipientGiven
from ucspi_py.core.smtp.path import NULL, Path
from ucspi_py.core.smtp.reply import reply
from ucspi_py.core.smtp.settings import SmtpSettings
from ucspi_py.core.smtp.verdict import Refuse
from ucspi_py.system.gate import session_log as session_logs
from ucspi_py.system.gate.session_log import SessionLog
from ucspi_py.system.report.log import ERRORS, Log

CLIENT = Visitor(b"pc.example.net", b"192.0.2.1")
WHO = b"pc.example.net[192.0.2.1]"
RECIPIENT = RecipientGiven(Envelope(b"c", True, NULL), Path(b"r", b"example.org"))
FIELDS = b"from=<> to=<r@example.org> proto=ESMTP helo=<c>"
DENIED = reply(554, b"5.7.1 Relay access denied")
SCREENED = CLIENT._replace(refusal=Refuse(451, b"listed"))
BEGIN = (b"EHLO c\r\n", b"MAIL FROM:<>\r\n", b"RCPT TO:<r@example.org>\r\n")


def ended(*said: bytes, waiting: bytes = b"", closed: bytes = b"", leaves: bool = True) -> list[bytes]:
    """The lines at the end of a session in which a client has said so much; closed: why it was left by us."""
    dialogue = Dialogue(SmtpSettings(hard_error_limit=3), GREETING, excepted=False)
    dialogue.greet(waiting)
    for piece in said:
        dialogue.receive(piece)
        carry_on(dialogue)
    if closed:
        dialogue.close(None, closed)
    elif leaves:
        dialogue.receive_end()
        carry_on(dialogue)
    log = Lines()
    SessionLog(log, CLIENT, b"").ended(dialogue)
    return [line.removeprefix(b"smtpgate: ").removesuffix(b"\n") for line in log.lines]


def carry_on(dialogue: Dialogue) -> None:
    """Have it oblige the client."""
    while (event := dialogue.next()) is not None:
        if isinstance(event, Paused):
            dialogue.resume()
        elif dialogue.waits:
            dialogue.answer(obliging(event))


@pytest.mark.parametrize(
    ("said", "line"),
    [
        ((), b"lost connection after CONNECT from "),
        (BEGIN, b"lost connection after RCPT from "),
        ((*BEGIN, b"DATA\r\n", b"half\r\n"), b"lost connection after DATA (6 bytes) from "),
        ((*BEGIN, b"DATA\r\n", b".\r\n", b"RSET\r\n"), b"lost connection after RSET from "),
        ((b"A\r\nB\r\nC\r\n",), b"too many errors after UNKNOWN from "),
    ],
)
def test_how_a_session_ended(said: tuple[bytes, ...], line: bytes) -> None:
    """In Postfix's words, behind the last verb; and with -v what was in it."""
    told = ended(*said)

    assert told[0] == line + WHO
    assert told[1].startswith(b"disconnect from " + WHO)
    assert len(told) == 2


@pytest.mark.parametrize(
    "said", [(b"QUIT\r\n",), (*BEGIN, b"DATA\r\n", b".\r\n")], ids=["with QUIT", "behind its message"]
)
def test_ends_of_which_nothing_is_to_be_said(said: tuple[bytes, ...]) -> None:
    """As in Postfix, but for -v."""
    assert [line.split(b" ")[0] for line in ended(*said)] == [b"disconnect"]


def test_a_client_that_is_gone_without_a_word() -> None:
    """A reset: the dialogue knows of no end."""
    assert ended(b"HELO c\r\n", leaves=False)[0] == b"lost connection after HELO from " + WHO


@pytest.mark.parametrize(
    ("why", "line"),
    [(b"timeout", b"timeout after DATA (6 bytes) from " + WHO), (b"crowded", b""), (b"leaving", b""), (b"error", b"")],
)
def test_clients_that_we_have_left(why: bytes, line: bytes) -> None:
    """Only a timeout is told; all else has a line of its own, or is no news."""
    told = ended(*BEGIN, b"DATA\r\n", b"half\r\n", closed=why)

    assert told[:-1] == ([line] if line else [])


def test_clients_that_break_the_rules() -> None:
    """With what they have sent."""
    assert ended(waiting=b"EHLO c\r\n")[0] == b"improper command pipelining after CONNECT from %b: EHLO c\\r\\n" % WHO
    assert ended(b"EHLO c\r\nNOOP\r\n")[0] == b"improper command pipelining after EHLO from %b: NOOP\\r\\n" % WHO
    assert ended(b"GET / HTTP/1.1\r\n")[0] == b"non-SMTP command after CONNECT from %b: GET / HTTP/1.1" % WHO


def test_without_v_there_is_no_summary() -> None:
    """As of any detail."""
    dialogue = Dialogue(SmtpSettings(), GREETING, excepted=False)
    lines: list[bytes] = []
    log = Log(ERRORS)
    log.say = lambda *said: lines.extend(said)  # type: ignore[method-assign]
    SessionLog(log, CLIENT, b"").ended(dialogue)

    assert lines == [b"smtpgate: lost connection after CONNECT from %b\n" % WHO]


def test_without_v_there_is_a_summary_of_a_session_without_mail() -> None:
    """So each session has a line."""
    dialogue = Dialogue(SmtpSettings(), GREETING, excepted=False)
    dialogue.receive(b"QUIT\r\n")
    carry_on(dialogue)
    lines: list[bytes] = []
    log = Log(ERRORS)
    log.say = lambda *said: lines.extend(said)  # type: ignore[method-assign]
    SessionLog(log, CLIENT, b"").ended(dialogue)
    with_mail = SessionLog(log, CLIENT, b"")
    with_mail.message(RECIPIENT.envelope, reply(250, b"ok"), 7)
    with_mail.ended(dialogue)

    assert lines[0] == b"smtpgate: disconnect from %b quit=1 commands=1\n" % WHO
    assert [line.split(b" ")[1] for line in lines[1:]] == [b"message"]


def test_how_long_a_message_has_waited(monkeypatch: pytest.MonkeyPatch) -> None:
    """For all answers of its transaction, and for no other's; what has decided about another is no news either."""
    clock = Clock()
    monkeypatch.setattr(session_logs, "time", clock)
    log = Lines()
    session_log = SessionLog(log, CLIENT, b"")
    before = RECIPIENT._replace(envelope=RECIPIENT.envelope._replace(helo=b"before"))
    for event in (before, RECIPIENT, RECIPIENT):
        session_log.asked(event)
        clock.now += 0.25
        session_log.answered()
        if event is before:
            session_log.decided("permit")
    session_log.message(RECIPIENT.envelope, reply(250, b"ok"), 7)

    assert log.lines[0].endswith(b" relay=no delay=0.50\n")


def test_what_is_refused() -> None:
    """A recipient with its address, DATA for the whole transaction."""
    log = Lines()
    session_log = SessionLog(log, CLIENT, b"")
    session_log.rejected(RECIPIENT, DENIED)
    session_log.rejected(DataAsked(RECIPIENT.envelope), DENIED)

    assert log.lines == [
        b"smtpgate: NOQUEUE: reject: RCPT from %b: 554 5.7.1 Relay access denied; %b\n" % (WHO, FIELDS),
        b"smtpgate: NOQUEUE: reject: DATA from %b: 554 5.7.1 Relay access denied; from=<> proto=ESMTP helo=<c>\n" % WHO,
    ]


def test_what_only_a_dry_run_lets_pass() -> None:
    """In the word of warn_if_reject; of a recipient the first reason, and softened where refusals are."""
    log = Lines()
    session_log = SessionLog(log, SCREENED, b"rblsmtpd", softens=True, dry_run=True)
    session_log.spared(b"CONNECT", DENIED, None, None)
    for event in (RECIPIENT, RECIPIENT._replace(recipient=Path(b"r", b"example.org"))):
        session_log.spared(b"RCPT", DENIED, *event)
        session_log.spared(b"RCPT", reply(550, b"unknown"), *event)
    session_log.spared(b"DATA", DENIED, RECIPIENT.envelope, None)
    session_log.ended(Dialogue(SmtpSettings(), GREETING, excepted=False))

    would = b"smtpgate: NOQUEUE: reject_warning: %%b from %b: 454 4.7.1 Relay access denied; %%b\n" % WHO
    about = (b"CONNECT", b"proto=SMTP"), *((b"RCPT", FIELDS),) * 2, (b"DATA", b"from=<> proto=ESMTP helo=<c>")
    assert log.lines[:4] == [would % words for words in about]
    assert [line.split(b" ")[1] for line in log.lines[4:]] == [b"lost", b"disconnect"]


def test_what_became_of_a_message() -> None:
    """One line."""
    log = Lines()
    session_log = SessionLog(log, CLIENT, b"")
    session_log.message(RECIPIENT.envelope._replace(recipients=(RECIPIENT.recipient,)), reply(250, b"ok"), 7)

    fields = b"from=<> nrcpt=1 size=7 proto=ESMTP helo=<c> relay=no delay=0.00"
    assert log.lines == [b"smtpgate: message from %b: 250 ok; %b\n" % (WHO, fields)]


def test_the_log_says_what_the_client_hears() -> None:
    """With soft_bounce a refusal for now, as Debian's smtpd logs it; a screen's, too."""
    log = Lines()
    visitor = SCREENED._replace(refusal=Refuse(553, b"5.7.1 listed"))
    session_log = SessionLog(log, visitor, b"rblsmtpd", softens=True)
    session_log.denied(DENIED)
    session_log.rejected(RECIPIENT, reply(553, b"5.7.1 listed"))
    session_log.message(RECIPIENT.envelope, DENIED, 7)

    told = [line.partition(b": 4")[2][:10] for line in log.lines]
    assert told == [b"54 4.7.1 R", b"53 4.7.1 l", b"53 4.7.1 l", b"54 4.7.1 R"]


def screens_lines(visitor: Visitor, screen: bytes, *replies: bytes) -> list[bytes]:
    """The screen's lines of a client whose recipients were refused with these replies, and who has left then."""
    log = Lines()
    session_log = SessionLog(log, visitor, screen)
    for text in replies:
        session_log.rejected(RECIPIENT, reply(int(text[:3]), text[4:]))
    session_log.ended(Dialogue(SmtpSettings(), GREETING, excepted=False))
    return [line for line in log.lines if not line.startswith(b"smtpgate: ")]


def test_a_screens_verdict_is_told_once() -> None:
    """At the first recipient that hears it, with what was wanted; at the end, if none did."""
    line = b"rblsmtpd: 192.0.2.1 pid %d: 451 listed" % os.getpid()

    assert screens_lines(SCREENED, b"rblsmtpd", b"451 listed", b"451 listed") == [line + b"; " + FIELDS + b"\n"]
    assert screens_lines(SCREENED, b"rblsmtpd", b"554 no", b"451 listed") == [line + b"; " + FIELDS + b"\n"]
    assert screens_lines(SCREENED, b"rblsmtpd", b"554 no") == [line + b"\n"]
    assert screens_lines(SCREENED, b"rblsmtpd") == [line + b"\n"]
    assert screens_lines(SCREENED, b"") == [line + b"\n"]
    assert screens_lines(SCREENED, b"greylist") == [line.replace(b"rblsmtpd", b"greylist") + b"\n"]


def test_a_client_that_no_screen_refuses_has_no_such_line() -> None:
    """Nor one that relays, which is spared."""
    assert screens_lines(CLIENT, b"rblsmtpd", b"451 listed") == []
    assert screens_lines(SCREENED._replace(relays=True), b"rblsmtpd", b"451 listed") == []
