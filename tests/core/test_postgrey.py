"""What a request asks of pypostgrey, and how verdicts are answered: without a server."""

import pytest

from ucspi_py.core.greylist.attempt import Attempt, Deferred, Passed, Verdict
from ucspi_py.core.greylist.triplet.settings import TripletSettings
from ucspi_py.core.policy.request import Request
from ucspi_py.core.postgrey import answers, questions
from ucspi_py.core.postgrey.answers import Answer
from ucspi_py.core.postgrey.instances import Instances
from ucspi_py.core.postgrey.questions import Unasked
from ucspi_py.core.postgrey.settings import ACTION, TEXT, Answering
from ucspi_py.core.smtp.verdict import Refuse

ASKED = Answering(TripletSettings("db", text=TEXT), ACTION, b"mx.example.org", b"1.0")
RCPT = {
    b"request": b"smtpd_access_policy",
    b"protocol_state": b"RCPT",
    b"client_address": b"192.0.2.7",
    b"client_name": b"mail.example.net",
    b"helo_name": b"helo.example.net",
    b"sender": b"a@example.net",
    b"recipient": b"b@example.org",
    b"etrn_domain": b"",
}
WHO = b"client_name=mail.example.net, client_address=192.0.2.7, sender=a@example.net, recipient=b@example.org\n"


def _request(**changed: bytes) -> Request:
    return Request({**RCPT, **{name.encode(): value for name, value in changed.items()}})


def _answer(verdict: Verdict, request: Request | None = None) -> Answer:
    return answers.greylisted(verdict, request or _request(), ASKED, lambda waited: b"X: %d" % waited)


def test_a_recipient_is_an_attempt() -> None:
    assert questions.attempt(_request()) == Attempt(
        b"192.0.2.7", b"mail.example.net", b"helo.example.net", b"a@example.net", b"b@example.org"
    )


@pytest.mark.parametrize(("written", "read"), [(b"2001:DB8::1", b"2001:db8::1"), (b"::ffff:192.0.2.7", b"192.0.2.7")])
def test_an_address_has_one_form(written: bytes, read: bytes) -> None:
    attempt = questions.attempt(_request(client_address=written))
    assert isinstance(attempt, Attempt) and attempt.ip == read


@pytest.mark.parametrize("address", [b"", b"192.0.2.300", b"192.0.2", b"mail.example.net", b"\xff", b"1:2"])
def test_what_is_no_address_is_told(address: bytes) -> None:
    unasked = questions.attempt(_request(client_address=address))
    assert isinstance(unasked, Unasked)
    assert unasked.line.startswith(b"warning: can't parse client_address from postfix: ")


def test_of_another_state_nothing_is_said() -> None:
    assert questions.attempt(_request(protocol_state=b"DATA")) == Unasked(b"")


def test_a_new_triplet_is_to_wait() -> None:
    assert _answer(Deferred(300, is_new=True)) == Answer(
        b"DEFER_IF_PERMIT 4.2.0 Greylisted, see http://postgrey.schweikert.ch/help/example.org.html",
        (b"action=greylist, reason=new, " + WHO,),
    )


def test_an_early_retry_is_to_wait_for_the_rest() -> None:
    assert _answer(Deferred(7, is_new=False)).lines == (b"action=greylist, reason=early-retry (7s missing), " + WHO,)


def test_the_first_pass_has_a_header_and_its_delay() -> None:
    line = b"action=pass, reason=triplet found, delay=310, " + WHO
    assert _answer(Passed(b"triplet found", 310)) == Answer(b"PREPEND X: 310", (line,))


def test_a_message_that_has_its_header_has_no_other() -> None:
    answer = answers.greylisted(Passed(b"triplet found", 310), _request(), ASKED, lambda _waited: None)
    assert answer == Answer(b"DUNNO", (b"action=pass, reason=triplet found, " + WHO,))


def test_a_client_that_waits_no_more_is_told() -> None:
    answer = _answer(Passed(b"triplet found", 310, lists_client=True))
    assert answer.lines[0] == b"whitelisted: mail.example.net[192.0.2.7]\n"


def test_the_queue_id_stands_in_front() -> None:
    assert _answer(Passed(b"client AWL"), _request(queue_id=b"4F2")).lines == (
        b"4F2: action=pass, reason=client AWL, " + WHO,
    )


def test_a_header_tells_who_has_delayed() -> None:
    assert answers.header(310, ASKED, b"Thu, 26 Nov 2026 19:34:03 +0000") == (
        b"X-Greylist: delayed 310 seconds by postgrey-1.0 at mx.example.org; Thu, 26 Nov 2026 19:34:03 +0000"
    )


@pytest.mark.parametrize(
    ("refusal", "action", "verb"),
    [
        (Refuse(451, b"listed by x"), b"451 4.7.1 listed by x", b"defer"),
        (Refuse(553, b"listed\r\nby x"), b"553 5.7.1 listed??by x", b"reject"),
    ],
)
def test_zones_refuse_in_their_own_words(refusal: Refuse, action: bytes, verb: bytes) -> None:
    answer = answers.screened(refusal, _request())
    assert answer.action == action
    assert answer.lines == (b"action=%s, reason=listed: %s, %s" % (verb, action[10:], WHO),)


def test_a_message_is_new_once_and_one_that_is_not_known_always() -> None:
    seen = Instances()
    assert [seen.is_new(instance) for instance in (b"1", b"2", b"1", b"2", b"", b"")] == [
        True, True, False, False, True, True,
    ]  # fmt: skip


def test_many_messages_at_once_are_told_apart_and_old_ones_forgotten() -> None:
    seen = Instances()
    assert all(seen.is_new(b"%d" % number) for number in range(50))
    assert not any(seen.is_new(b"%d" % number) for number in range(50))
    assert all(seen.is_new(b"x%d" % number) for number in range(100))
    assert seen.is_new(b"0")
