"""The SMTP dialogue where filters hear of commands that are none, and have something against a client that lasts."""

import pytest

from tests.support.dialogues import GREETING
from ucspi_py.core.smtp.dialogue import Dialogue
from ucspi_py.core.smtp.events import HeloGiven, UnknownGiven
from ucspi_py.core.smtp.reply import Reply, reply
from ucspi_py.core.smtp.settings import Offers, SmtpSettings, Starttls

YES, NO, LATER = reply(250, b"Ok"), reply(554, b"5.7.1 no"), reply(451, b"4.7.1 later")
NOT_RECOGNIZED = b"500 5.5.2 Error: command not recognized\r\n"
OFFERS = Offers(Starttls.YES, mechanisms=(b"PLAIN",))


def dialogue(lasting: Reply | None = None, **settings: bool) -> Dialogue:
    """One whose filters have something against the client."""
    talk = Dialogue(
        SmtpSettings(**settings),  # type: ignore[arg-type]
        GREETING,
        excepted=False,
        judges_early=True,
        offers=OFFERS,
    )
    talk.filtered(lambda: lasting)
    return talk


def said(talk: Dialogue, line: bytes) -> bytes:
    """What is said to a line at once."""
    talk.receive(line + b"\r\n")
    assert talk.next() is None
    return talk.take_output()


@pytest.mark.parametrize("name", [b"Foo", b"expn"])
@pytest.mark.parametrize(("answer", "heard"), [(YES, NOT_RECOGNIZED), (NO, NO.wire), (LATER, LATER.wire)])
def test_filters_hear_of_a_command_that_is_none(name: bytes, answer: Reply, heard: bytes) -> None:
    """As the client has said it; it is refused in any case, and is an error."""
    talk = dialogue()
    talk.receive(name + b" x\r\n")

    assert talk.next() == UnknownGiven(name)
    talk.answer(answer)
    assert talk.take_output() == heard
    assert talk.counts == {b"UNKNOWN": [0, 1]}
    assert talk.last_verb == b"UNKNOWN"


def test_a_filter_may_hang_up_at_it() -> None:
    """As any reply of 421 does."""
    talk = dialogue()
    talk.receive(b"FOO\r\n")
    talk.next()
    talk.answer(reply(421, b"4.7.0 bye"))

    assert talk.finished


def test_filters_hear_of_no_empty_line() -> None:
    """There is nothing to be told."""
    assert said(dialogue(), b"") == b"500 5.5.2 Error: bad syntax\r\n"


def test_filters_hear_of_no_other_protocol() -> None:
    """Its client is left at once."""
    assert said(dialogue(), b"GET / HTTP/1.1").startswith(b"221 2.7.0 ")


@pytest.mark.parametrize("line", [b"STARTTLS", b"AUTH PLAIN AGEAYg==", b"VRFY a@example.org"])
def test_what_lasts_holds_for_each_command(line: bytes) -> None:
    """For good as it was said; for now in Sendmail's words where the client would become another one."""
    assert said(dialogue(NO), line) == NO.wire
    later = LATER.wire if line.startswith(b"VRFY") else b"454 4.3.0 Try again later\r\n"
    assert said(dialogue(LATER), line) == later


@pytest.mark.parametrize("line", [b"NOOP", b"RSET", b"QUIT"])
def test_it_does_not_hold_for_those_that_do_nothing(line: bytes) -> None:
    """As for Postfix."""
    assert said(dialogue(NO), line)[:1] == b"2"


@pytest.mark.parametrize(("lasting", "has_keywords"), [(NO, False), (LATER, True), (None, True)])
def test_ehlo_offers_nothing_to_one_who_is_refused_for_good(lasting: Reply | None, has_keywords: bool) -> None:
    """It is answered all the same."""
    talk = dialogue(lasting)
    talk.receive(b"EHLO a\r\n")
    assert isinstance(talk.next(), HeloGiven)
    talk.answer(YES)

    heard = talk.take_output()
    assert (b"STARTTLS" in heard, b"PIPELINING" in heard) == (has_keywords, has_keywords)
    assert heard.splitlines()[0][:3] == b"250"


@pytest.mark.parametrize(("is_soft", "banner"), [(False, NO.wire), (True, b"454 4.7.1 no\r\n")])
def test_a_client_refused_before_its_banner_may_speak(is_soft: bool, banner: bytes) -> None:
    """Where each of its commands is judged; with soft_bounce the refusal is one for now."""
    talk = dialogue(NO, soft_bounce=is_soft)
    talk.deny(NO, None)

    assert talk.take_output() == banner
    talk.receive(b"HELO a\r\n")
    assert isinstance(talk.next(), HeloGiven)
