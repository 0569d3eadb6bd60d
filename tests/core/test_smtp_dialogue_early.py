"""The SMTP dialogue where HELO and MAIL are judged before they are carried out, and the client before its banner."""

import pytest

from tests.support.dialogues import EHLO, GREETING, RECIPIENT_OK, SENDER_OK
from ucspi_py.core.smtp.dialogue import Dialogue
from ucspi_py.core.smtp.envelope import Envelope
from ucspi_py.core.smtp.events import Event, HeloGiven, RecipientGiven, SenderGiven, TransactionDropped
from ucspi_py.core.smtp.path import Path
from ucspi_py.core.smtp.reply import reply
from ucspi_py.core.smtp.settings import SmtpSettings

YES, NO = reply(250, b"Ok"), reply(554, b"5.7.1 no")
SENDER, RECIPIENT = Path(b"s", b"example.net"), Path(b"r", b"example.org")


def dialogue(**settings: bool) -> Dialogue:
    """One whose banner was said."""
    begun = Dialogue(SmtpSettings(**settings), GREETING, excepted=False, judges_early=True)  # type: ignore[arg-type]
    begun.greet()
    begun.take_output()
    return begun


def told(talk: Dialogue, line: bytes) -> Event | None:
    """The event that a line makes."""
    talk.receive(line + b"\r\n")
    return talk.next()


def test_each_command_waits_for_its_verdict() -> None:
    """And says its own reply where nobody has anything against it."""
    talk = dialogue()

    assert told(talk, b"EHLO a b") == HeloGiven(b"EHLO", b"a b", None)
    assert talk.take_output() == b""
    talk.answer(YES)
    assert talk.take_output() == EHLO
    assert told(talk, b"MAIL FROM:<s@example.net>") == SenderGiven(Envelope(b"a?b", True, SENDER))
    talk.answer(YES)
    assert talk.take_output() == SENDER_OK
    assert isinstance(told(talk, b"RCPT TO:<r@example.org>"), RecipientGiven)
    talk.answer(reply(250, b"2.1.5 Ok"))
    assert talk.take_output() == RECIPIENT_OK


def test_a_helo_ends_the_transaction_when_it_is_carried_out() -> None:
    """One that is refused changes nothing (smtpd.c, helo_cmd)."""
    talk = dialogue()
    for line in (b"HELO a", b"MAIL FROM:<s@example.net>", b"RCPT TO:<r@example.org>"):
        told(talk, line)
        talk.answer(YES)
    full = Envelope(b"a", False, SENDER, (), (RECIPIENT,))

    assert told(talk, b"HELO b") == HeloGiven(b"HELO", b"b", full)
    talk.answer(NO)
    assert (talk.next(), talk.helo, talk.envelope) == (None, b"a", full)
    told(talk, b"HELO c")
    talk.answer(YES)
    assert talk.next() == TransactionDropped(full)
    assert (talk.next(), talk.helo, talk.envelope) == (None, b"c", None)


def test_a_command_is_carried_out_at_once() -> None:
    """Where nobody has to be asked it says its own reply, and ends a transaction before it, as behind a verdict."""
    talk = dialogue()
    for line, said in ((b"EHLO a b", EHLO), (b"MAIL FROM:<s@example.net>", SENDER_OK)):
        event = told(talk, line)
        assert isinstance(event, HeloGiven | SenderGiven)
        talk.go_on(event)
        assert talk.take_output() == said
    told(talk, b"RCPT TO:<r@example.org>")
    talk.answer(YES)
    event = told(talk, b"HELO c")
    assert isinstance(event, HeloGiven)
    talk.go_on(event)

    assert isinstance(talk.next(), TransactionDropped)
    assert talk.counts == {b"EHLO": [1, 1], b"MAIL": [1, 1], b"RCPT": [1, 1], b"HELO": [1, 1]}


def test_a_refused_sender_begins_nothing() -> None:
    """And is an error."""
    talk = dialogue()
    told(talk, b"MAIL FROM:<s@example.net>")
    talk.answer(NO)

    assert talk.envelope is None
    assert talk.counts == {b"MAIL": [0, 1]}


def test_a_client_that_is_denied_may_only_leave() -> None:
    """Whatever it says; what is of another protocol is left at once."""
    talk = Dialogue(SmtpSettings(), GREETING, excepted=False, judges_early=True)
    talk.deny(NO, reply(503, b"5.7.0 denied"))
    assert talk.take_output() == NO.wire

    for line in (b"EHLO a", b"FOO", b"MAIL FROM:<>"):
        assert told(talk, line) is None
        assert talk.take_output() == b"503 5.7.0 denied\r\n"
    told(talk, b"QUIT")
    assert (talk.take_output()[:3], talk.end) == (b"221", b"quit")


def test_a_denial_may_hang_up() -> None:
    """As any reply of 421 and 521 does."""
    talk = Dialogue(SmtpSettings(), GREETING, excepted=False)
    talk.deny(reply(521, b"5.7.1 no"), NO)

    assert talk.finished


def test_with_soft_bounce_nothing_is_refused_for_good() -> None:
    """Of no command, whoever refuses it (smtpd_chat.c)."""
    talk = dialogue(soft_bounce=True)
    told(talk, b"FOO")
    told(talk, b"RCPT TO:<a@b.example>")
    told(talk, b"HELO a")
    talk.answer(NO)

    assert talk.take_output() == (
        b"400 4.5.2 Error: command not recognized\r\n403 4.5.1 Error: need MAIL command\r\n454 4.7.1 no\r\n"
    )


@pytest.mark.parametrize("texts", [(b"5.7.1 no",), (b"no", b"5 of them"), (b"",)])
def test_a_softened_reply_is_what_the_client_hears(texts: tuple[bytes, ...]) -> None:
    """On each of its lines; one that refuses for now stays as it is."""
    for code in (421, 450, 554):
        talk = dialogue(soft_bounce=True)
        told(talk, b"HELO a")
        talk.answer(reply(code, *texts))

        assert talk.take_output() == reply(code, *texts).softened.wire


def test_who_does_not_wait_is_noted_where_that_is_allowed() -> None:
    """For reject_unauth_pipelining."""
    talk = dialogue(forbid_unauth_pipelining=False)
    assert not talk.ill_pipelining

    told(talk, b"HELO a\r\nMAIL FROM:<>")

    assert talk.ill_pipelining
    assert not talk.end


def test_a_denied_client_that_does_not_wait_is_told_why_it_is_denied() -> None:
    """Before what it sends too early is looked at (smtpd.c, smtpd_proto)."""
    talk = Dialogue(SmtpSettings(forbid_unauth_pipelining=True), GREETING, excepted=False, judges_early=True)
    denied = reply(503, b"5.7.0 Error: access denied for unknown[192.0.2.7]")
    talk.deny(NO, denied)
    talk.take_output()

    talk.receive(b"EHLO a\r\nMAIL FROM:<s@example.net>\r\n")

    assert talk.next() is None
    assert talk.take_output() == denied.wire * 2
    assert talk.end == b""


def test_a_denial_is_an_error_like_those_that_follow() -> None:
    """And the client is left at smtpd_hard_error_limit (smtpd_chat.c counts each refusal)."""
    talk = Dialogue(SmtpSettings(hard_error_limit=2), GREETING, excepted=False, judges_early=True)
    talk.deny(NO, reply(503, b"5.7.0 denied"))

    talk.receive(b"EHLO a\r\n")

    assert talk.next() is None
    assert talk.end == b"too many errors"
