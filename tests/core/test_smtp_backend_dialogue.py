"""The dialogue with a backend: what it is told and when, and what the client hears of each of its words and deaths."""

from collections.abc import Callable

import pytest

from ucspi_py.core.smtp.backend.commands import hello, mail, rcpt
from ucspi_py.core.smtp.backend.dialogue import BackendDialogue
from ucspi_py.core.smtp.backend.exchange import OUTCOME_UNKNOWN, UNAVAILABLE
from ucspi_py.core.smtp.backend.replies import LINES_LIMIT, ReplyReader
from ucspi_py.core.smtp.envelope import Envelope
from ucspi_py.core.smtp.path import NULL, Path
from ucspi_py.core.smtp.reply import Reply, reply

ALICE, BOB, CAROL = (Path(name, b"example.org") for name in (b"alice", b"bob", b"carol"))
ENVELOPE = Envelope(b"mx.example.net", True, Path(b"joe", b"example.net"))
FROM_JOE = b"MAIL FROM:<joe@example.net>\r\n"
TO_BOB = b"RCPT TO:<bob@example.org>\r\n"
OK = b"250 ok\r\n"
GO = b"354 go ahead\r\n"

Deed = Callable[[BackendDialogue], None]


def taken(envelope: Envelope, path: Path) -> Envelope:
    """The envelope with one more recipient."""
    return envelope._replace(recipients=(*envelope.recipients, path))


def told(dialogue: BackendDialogue, said: bytes) -> bytes:
    """What the backend is told when it has said something."""
    dialogue.receive(said)
    return dialogue.take_output()


def asked(*said: bytes, envelope: Envelope = ENVELOPE) -> BackendDialogue:
    """A dialogue that was asked for bob, and what the backend has said since then."""
    dialogue = BackendDialogue(b"pc.example.net")
    dialogue.recipient(envelope, BOB)
    for line in said:
        dialogue.receive(line)
    dialogue.take_output()
    return dialogue


def with_bob(ehlo: bytes = OK) -> BackendDialogue:
    """A dialogue in a transaction with bob."""
    dialogue = asked(b"220 here\r\n", ehlo, OK, OK)
    assert dialogue.answer == reply(250, b"ok")
    return dialogue


def in_content() -> BackendDialogue:
    """A dialogue that has its 354."""
    dialogue = with_bob()
    dialogue.data()
    assert told(dialogue, GO) == b"DATA\r\n"
    return dialogue


def at_end() -> BackendDialogue:
    """A dialogue that has told the final dot."""
    dialogue = in_content()
    dialogue.end_of_data()
    assert dialogue.take_output() == b".\r\n"
    return dialogue


def after_message() -> BackendDialogue:
    """A dialogue between two messages."""
    dialogue = at_end()
    dialogue.receive(b"250 ok qp 1\r\n")
    assert dialogue.answer == reply(250, b"ok qp 1")
    return dialogue


def test_a_recipient_is_told_step_by_step_from_the_banner_on() -> None:
    """Case 33: nothing before the banner, each command when the one before it is answered."""
    dialogue = BackendDialogue(b"pc.example.net")

    dialogue.recipient(ENVELOPE, BOB)

    assert dialogue.take_output() == b""
    assert told(dialogue, b"220 here ESMTP\r\n") == b"EHLO mx.example.net\r\n"
    assert told(dialogue, b"250-here\r\n250 8BITMIME\r\n") == FROM_JOE
    assert told(dialogue, OK) == TO_BOB
    assert dialogue.answer is None
    assert told(dialogue, b"250 bob it is\r\n") == b""
    assert dialogue.answer == reply(250, b"bob it is")
    assert not dialogue.is_idle


def test_what_the_backend_says_may_come_in_any_pieces() -> None:
    """Byte by byte the dialogue is the same."""
    dialogue = asked()

    for byte in b"220 here\r\n250-here\r\n250 SIZE\r\n250 ok\r\n550 no\r\n":
        dialogue.receive(bytes((byte,)))

    assert dialogue.take_output() == b"EHLO mx.example.net\r\n" + FROM_JOE + TO_BOB
    assert dialogue.answer == reply(550, b"no")


def test_mail_and_rcpt_go_together_only_where_pipelining_is_announced() -> None:
    """Case 39."""
    dialogue = asked(b"220 here\r\n")

    assert told(dialogue, b"250-here\r\n250 pipelining\r\n") == FROM_JOE + TO_BOB


def test_a_further_recipient_needs_rcpt_alone() -> None:
    """MAIL is told once."""
    dialogue = with_bob()

    dialogue.recipient(taken(ENVELOPE, BOB), CAROL)

    assert dialogue.take_output() == b"RCPT TO:<carol@example.org>\r\n"
    dialogue.receive(b"550-no\r\n550 carol here\r\n")
    assert dialogue.answer == reply(550, b"no", b"carol here")


@pytest.mark.parametrize(
    ("envelope", "expected"),
    [
        (ENVELOPE._replace(esmtp=False), b"HELO mx.example.net\r\n"),
        (ENVELOPE._replace(helo=b"", esmtp=False), b"HELO pc.example.net\r\n"),
        (ENVELOPE._replace(helo=b"a b\x00\xff[1.2.3.4]"), b"EHLO a?b??[1.2.3.4]\r\n"),
        (ENVELOPE._replace(helo=b"x" * 300), b"EHLO " + b"x" * 255 + b"\r\n"),
    ],
)
def test_the_client_is_introduced_as_it_has_introduced_itself(envelope: Envelope, expected: bytes) -> None:
    """EHLO or HELO, and a name that is one word."""
    dialogue = asked(envelope=envelope)

    assert told(dialogue, b"220 here\r\n") == expected


def test_a_backend_that_knows_no_ehlo_is_told_helo() -> None:
    """And no parameters, which it has not announced."""
    dialogue = asked(b"220 here\r\n", envelope=ENVELOPE._replace(parameters=((b"SIZE", b"5"),)))

    assert told(dialogue, b"502 unimplemented\r\n") == b"HELO mx.example.net\r\n"
    assert told(dialogue, OK) == FROM_JOE


def test_only_parameters_that_the_backend_has_announced_are_passed_on() -> None:
    """Case 46: an unknown one would be refused with 555."""
    parameters = ((b"SIZE", b"5"), (b"BODY", b"8BITMIME"), (b"SMTPUTF8", None), (b"RET", b"HDRS"), (b"AUTH", b"<>"))
    envelope = ENVELOPE._replace(parameters=parameters)

    some = mail(envelope, (b"SIZE", b"SMTPUTF8", b"AUTH"))
    none = mail(envelope, ())
    body = mail(envelope, (b"8BITMIME", b"DSN"))

    assert some == b"MAIL FROM:<joe@example.net> SIZE=5 SMTPUTF8\r\n"
    assert none == FROM_JOE
    assert body == b"MAIL FROM:<joe@example.net> BODY=8BITMIME RET=HDRS\r\n"


def test_no_command_can_hold_another_one() -> None:
    """Whatever has slipped through the parser, a line stays one line."""
    assert rcpt(Path(b"a\r\nRSET\r\n", b"b")).count(b"\r\n") == 1
    assert hello(b"EHLO", b"a\r\nRSET") == b"EHLO a??RSET\r\n"
    assert mail(ENVELOPE._replace(parameters=((b"SIZE", b"1\nRSET"),)), frozenset((b"SIZE",))).count(b"\n") == 1
    assert mail(ENVELOPE._replace(sender=NULL), frozenset()) == b"MAIL FROM:<>\r\n"


def test_an_address_in_utf8_needs_a_backend_that_takes_it() -> None:
    """RFC 6531, 3.5: 550 5.6.7, and the backend is kept."""
    envelope = ENVELOPE._replace(parameters=((b"SMTPUTF8", None),))

    lacking = asked(b"220 here\r\n", OK, envelope=envelope)
    having = asked(b"220 here\r\n", envelope=envelope)

    assert lacking.answer
    assert lacking.answer.line.startswith(b"550 5.6.7")
    assert lacking.usable
    assert told(having, b"250-here\r\n250 SMTPUTF8\r\n") == b"MAIL FROM:<joe@example.net> SMTPUTF8\r\n"


# The deaths


@pytest.mark.parametrize(
    ("banner", "expected"),
    [
        (b"421 busy\r\n", reply(451, b"4.3.0 busy")),
        (b"451-a\r\n451 b\r\n", reply(451, b"4.3.0 a", b"b")),
        (b"250 hello\r\n", UNAVAILABLE),
        (b"SSH-2.0\r\n", UNAVAILABLE),
        (b"220-a\r\n221 b\r\n", UNAVAILABLE),
    ],
)
def test_a_banner_that_is_none_is_451(banner: bytes, expected: Reply) -> None:
    """Case 38: no code of it but 5xx reaches the client, and the log hears of it."""
    dialogue = asked(banner)

    assert dialogue.answer == expected
    assert not dialogue.usable
    assert dialogue.failure
    assert dialogue.refusal is None


def test_a_5xx_banner_is_the_reply() -> None:
    """Somebody in the chain refuses; that is no failure."""
    dialogue = asked(b"553-no\r\n553 never\r\n")

    assert dialogue.answer == dialogue.refusal == reply(553, b"no", b"never")
    assert not dialogue.usable
    assert dialogue.failure is None


@pytest.mark.parametrize("said", [(b"502 no\r\n", b"502 no\r\n"), (b"421 bye\r\n",)])
def test_a_backend_that_takes_no_hello_is_451(said: tuple[bytes, ...]) -> None:
    """And is left."""
    dialogue = asked(b"220 here\r\n", *said)

    assert dialogue.answer == UNAVAILABLE
    assert not dialogue.usable
    assert "took neither EHLO nor HELO" in (dialogue.failure or "")


def test_a_refused_mail_is_the_reply_to_all_recipients_of_its_transaction() -> None:
    """Case 39: no RCPT is sent; the next transaction tells MAIL again, behind RSET."""
    dialogue = asked(b"220 here\r\n", OK, b"553 badmailfrom\r\n")
    first = dialogue.answer

    dialogue.recipient(ENVELOPE, CAROL)
    second, between = dialogue.answer, dialogue.take_output()
    dialogue.recipient(Envelope(*ENVELOPE), BOB)

    assert first == second == reply(553, b"badmailfrom")
    assert between == b""
    assert dialogue.take_output() == b"RSET\r\n"
    assert told(dialogue, OK) == FROM_JOE


def test_the_reply_to_a_recipient_behind_a_refused_mail_is_for_nobody() -> None:
    """Pipelined, it comes nevertheless, and must not be taken for that to the next one."""
    dialogue = asked(b"220 here\r\n", b"250-here\r\n250 PIPELINING\r\n", b"553 badmailfrom\r\n")
    assert dialogue.answer == reply(553, b"badmailfrom")

    dialogue.recipient(Envelope(*ENVELOPE), BOB)

    assert dialogue.take_output() == b""
    assert told(dialogue, b"503 MAIL first\r\n") == b"RSET\r\n"
    assert told(dialogue, OK) == FROM_JOE + TO_BOB
    dialogue.receive(OK + b"250 bob\r\n")
    assert dialogue.answer == reply(250, b"bob")


@pytest.mark.parametrize(
    "said",
    [
        (b"354 go\r\n",),
        (OK, b"354 go\r\n"),
        (OK, b"399 what\r\n"),
    ],
)
def test_a_reply_that_asks_for_more_where_nothing_comes_is_451(said: tuple[bytes, ...]) -> None:
    """3xx to MAIL or RCPT: the backend is left."""
    dialogue = asked(b"220 here\r\n", OK, *said)

    assert dialogue.answer == UNAVAILABLE
    assert not dialogue.usable
    assert "replied" in (dialogue.failure or "")


@pytest.mark.parametrize("said", [b"250 ok\r\n", b"334 x\r\n", b"220 x\r\n"])
def test_content_is_sent_behind_354_alone(said: bytes) -> None:
    """Any other success is 451, and the backend is left."""
    dialogue = with_bob()
    dialogue.data()
    dialogue.receive(said)

    assert dialogue.answer == UNAVAILABLE
    assert not dialogue.takes_content
    assert not dialogue.usable


def test_a_refusal_of_data_is_passed_on_and_the_transaction_goes_on() -> None:
    """The backend decides what it makes of a second DATA."""
    dialogue = with_bob()
    dialogue.data()
    dialogue.receive(b"450 later\r\n")
    first, goes_on = dialogue.answer, dialogue.usable

    dialogue.data()

    assert first == reply(450, b"later")
    assert goes_on
    assert not dialogue.takes_content
    assert dialogue.take_output() == b"DATA\r\nDATA\r\n"


def test_data_without_a_recipient_is_not_told() -> None:
    """Whoever asks for it has lost count."""
    dialogue = asked(b"220 here\r\n", OK, OK, b"550 no\r\n")

    dialogue.data()

    assert dialogue.answer == UNAVAILABLE
    assert dialogue.take_output() == b""


@pytest.mark.parametrize(
    ("said", "expected", "usable"),
    [
        (b"250 ok\r\n", reply(250, b"ok"), True),
        (b"554 spam\r\n", reply(554, b"spam"), True),
        (b"451 smtplf\r\n", reply(451, b"smtplf"), True),
        (b"421 out of memory\r\n", reply(421, b"out of memory"), False),
        (b"354 more\r\n", OUTCOME_UNKNOWN, False),
        (b"hello\r\n", OUTCOME_UNKNOWN, False),
    ],
)
def test_the_answer_to_the_message_is_the_backends(said: bytes, expected: Reply, *, usable: bool) -> None:
    """Case 41."""
    dialogue = at_end()

    dialogue.receive(said)

    assert dialogue.answer == expected
    assert dialogue.usable == usable
    assert dialogue.is_idle
    assert ("outcome unknown" in (dialogue.failure or "")) == (expected == OUTCOME_UNKNOWN)


def end(dialogue: BackendDialogue) -> None:
    """It hangs up."""
    dialogue.receive_end()


def expire(dialogue: BackendDialogue) -> None:
    """It says nothing for too long."""
    dialogue.expire()


@pytest.mark.parametrize("death", [end, expire])
@pytest.mark.parametrize(
    ("said", "due"),
    [
        ((), "its start"),
        ((b"220 here\r\n",), "EHLO"),
        ((b"220 here\r\n", b"502 no\r\n"), "HELO"),
        ((b"220 here\r\n", OK), "MAIL"),
        ((b"220 here\r\n", OK, OK), "RCPT"),
        ((b"220 here\r\n", OK, OK, b"250-o"), "RCPT"),
    ],
)
def test_a_death_at_any_point_before_the_answer_is_451(death: Deed, said: tuple[bytes, ...], due: str) -> None:
    """And the log hears what was due."""
    dialogue = asked(*said)

    death(dialogue)

    assert dialogue.answer == UNAVAILABLE
    assert not dialogue.usable
    assert (dialogue.failure or "").endswith(f"when a reply to {due} was due")


@pytest.mark.parametrize("death", [end, expire])
def test_a_death_with_the_dot_is_451_and_its_outcome_unknown(death: Deed) -> None:
    """Case 40: the message may have been queued."""
    dialogue = at_end()

    death(dialogue)

    assert dialogue.answer == OUTCOME_UNKNOWN
    assert (dialogue.failure or "").endswith("was due: outcome unknown")


@pytest.mark.parametrize("death", [end, expire])
def test_a_death_within_the_content_is_told_at_its_end(death: Deed) -> None:
    """Case 40: content is thrown away from then on, and no dot is told."""
    dialogue = in_content()

    death(dialogue)
    takes_content = dialogue.takes_content
    dialogue.end_of_data()

    assert not takes_content
    assert dialogue.answer == UNAVAILABLE
    assert (dialogue.failure or "").endswith("within the content")
    assert dialogue.take_output() == b""


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (b"552 too big\r\n", reply(552, b"too big")),
        (b"451 See smtplf\r\n", reply(451, b"See smtplf")),
        (b"421 bye\r\n", reply(421, b"bye")),
        (b"250 queued\r\n", UNAVAILABLE),
        (b"354 again\r\n", UNAVAILABLE),
    ],
)
@pytest.mark.parametrize("ends", [True, False])
def test_what_is_said_before_the_dot_is_the_answer_unless_it_is_a_success(
    said: bytes, expected: Reply, *, ends: bool
) -> None:
    """Whether the backend hangs up behind it or not."""
    dialogue = in_content()
    dialogue.receive(said)
    if ends:
        dialogue.receive_end()

    takes_content = dialogue.takes_content
    dialogue.end_of_data()

    assert not takes_content
    assert dialogue.answer == expected
    assert dialogue.take_output() == b""
    assert (dialogue.failure is None) == (expected != UNAVAILABLE)


def test_a_death_behind_an_accepted_recipient_is_451_for_data_and_for_more_of_them() -> None:
    """Case 40: whoever was accepted would be lost with another backend."""
    dialogue = with_bob()
    dialogue.receive_end()

    dialogue.data()
    data = dialogue.answer
    dialogue.recipient(taken(ENVELOPE, BOB), CAROL)

    assert data == dialogue.answer == UNAVAILABLE
    assert dialogue.failure == "ended within a transaction"


def test_last_words_before_the_end_are_the_answer_to_what_comes_next() -> None:
    """qmail says 451 timeout and hangs up: the words are passed, then it is gone."""
    dialogue = with_bob()
    dialogue.receive(b"451 timeout (#4.4.2)\r\n")
    dialogue.receive_end()

    dialogue.data()

    assert dialogue.answer == reply(451, b"timeout (#4.4.2)")
    assert dialogue.failure is None


def test_a_success_that_nobody_has_asked_for_is_the_end() -> None:
    """Every reply behind it would be taken for another's."""
    dialogue = with_bob()
    dialogue.receive(OK)

    dialogue.data()

    assert dialogue.answer == UNAVAILABLE
    assert dialogue.take_output() == b""
    assert "nobody had asked" in (dialogue.failure or "")


def test_two_replies_to_one_command_are_one_too_many() -> None:
    """The second is nobody's, also where it comes in one piece with the first."""
    dialogue = asked(b"220 here\r\n", OK, OK, OK + b"250 more\r\n")

    assert dialogue.answer == reply(250, b"ok")
    assert not dialogue.usable


def test_a_reply_before_its_command_is_none() -> None:
    """A backend that says two replies to EHLO would have each one that follows taken for another command's."""
    dialogue = asked(b"220 here\r\n", OK + b"250 more\r\n", OK, OK)

    assert dialogue.answer is not None
    assert not dialogue.answer.is_positive
    assert not dialogue.usable


def test_421_is_passed_and_the_backend_left() -> None:
    """It hangs up, and so do we: Reply.hangs_up says so to the client's side."""
    dialogue = asked(b"220 here\r\n", OK, OK, b"421 bye\r\n")

    assert dialogue.answer == reply(421, b"bye")
    assert not dialogue.usable
    assert dialogue.failure is None


def test_a_backend_that_leaves_between_messages_is_no_failure() -> None:
    """It has its own idea of how long it waits."""
    dialogue = after_message()

    dialogue.receive_end()

    assert not dialogue.usable
    assert dialogue.failure is None


# Transactions


def test_the_next_message_is_told_to_the_same_backend_without_rset() -> None:
    """Nothing was told behind the dot, and the introduction holds."""
    dialogue = after_message()

    dialogue.recipient(Envelope(*ENVELOPE), BOB)

    assert dialogue.take_output() == FROM_JOE


def test_a_dropped_transaction_is_reset_at_once() -> None:
    """Case 7; nobody waits for the reply, and the next MAIL comes behind it."""
    dialogue = with_bob()
    dialogue.reset()
    assert dialogue.take_output() == b"RSET\r\n"
    assert dialogue.is_idle

    dialogue.recipient(ENVELOPE._replace(sender=NULL), BOB)

    assert dialogue.take_output() == b""
    assert told(dialogue, OK) == b"MAIL FROM:<>\r\n"


def test_there_is_nothing_to_reset_behind_a_message() -> None:
    """Or a second time."""
    dialogue = after_message()

    dialogue.reset()

    assert dialogue.take_output() == b""


def test_a_backend_that_refuses_rset_is_left() -> None:
    """What it still has of the last transaction is not known."""
    dialogue = with_bob()
    dialogue.reset()

    dialogue.receive(b"500 what\r\n")

    assert not dialogue.usable
    assert "to RSET" in (dialogue.failure or "")


def test_a_transaction_that_nobody_has_reset_gets_no_recipients_of_the_next() -> None:
    """An equal envelope without recipients is another message: bob of the last must not get it."""
    dialogue = with_bob()

    dialogue.recipient(Envelope(*ENVELOPE), CAROL)

    assert dialogue.take_output() == b"RSET\r\n"
    assert told(dialogue, OK) == FROM_JOE
    assert told(dialogue, OK) == b"RCPT TO:<carol@example.org>\r\n"


@pytest.mark.parametrize("envelope", [taken(taken(ENVELOPE, BOB), ALICE), taken(ENVELOPE._replace(sender=NULL), BOB)])
def test_a_backend_that_does_not_have_the_accepted_recipients_gets_no_more(envelope: Envelope) -> None:
    """They would be lost without a word."""
    dialogue = with_bob()

    dialogue.recipient(envelope, CAROL)

    assert dialogue.answer == UNAVAILABLE
    assert dialogue.take_output() == b""


def test_another_name_of_the_client_is_told_before_the_next_mail() -> None:
    """Behind RSET, as not every backend's EHLO is one."""
    dialogue = with_bob()

    dialogue.recipient(ENVELOPE._replace(helo=b"other.example.net"), BOB)

    assert dialogue.take_output() == b"RSET\r\n"
    assert told(dialogue, OK) == b"EHLO other.example.net\r\n"
    assert told(dialogue, OK) == FROM_JOE


def test_quit_is_said_where_no_message_is_on_its_way() -> None:
    """In content it would be content, and while a reply is due its place is not known."""
    between, transaction, content, due = after_message(), with_bob(), in_content(), asked(b"220 here\r\n")

    for dialogue in (between, transaction, content, due):
        dialogue.quit()

    assert (between.take_output(), transaction.take_output()) == (b"QUIT\r\n", b"QUIT\r\n")
    assert (content.take_output(), due.take_output()) == (b"", b"")
    assert not any(dialogue.usable for dialogue in (between, transaction, content, due))


def test_patience_is_as_long_as_what_is_due() -> None:
    """RFC 5321, 4.5.3.2, from the other side."""
    dialogue = with_bob()
    dialogue.data()

    assert [asked().exchange.patience, dialogue.exchange.patience, at_end().exchange.patience] == [60, 120, 600]
    assert in_content().exchange.patience == 120


# Replies


def replies(said: bytes) -> tuple[list[Reply], bytes | None]:
    """The replies in some bytes, and the line with which they stop being some."""
    reader = ReplyReader()
    reader.feed(said)
    return list(iter(reader.next, None)), reader.junk


def test_a_reply_line_ends_at_lf_with_or_without_cr() -> None:
    """Case 50; of two CRs one belongs to the text."""
    assert replies(b"250-a\n250-b\r\r\n250\r\n220 x\n") == ([reply(250, b"a", b"b\r", b""), reply(220, b"x")], None)


def test_a_long_line_is_cut_and_its_rest_dropped() -> None:
    """Case 50: at 2048 bytes, whatever its pieces are; the next line is whole."""
    reader = ReplyReader()
    for _ in range(50):
        reader.feed(b"250 " + b"x" * 96)
        assert reader.next() is None
    reader.feed(b"\r\n250 next\r\n")

    first, second = reader.next(), reader.next()

    assert first
    assert len(first.texts[0]) == 2044
    assert second == reply(250, b"next")


@pytest.mark.parametrize(
    "line", [b"", b"25 x", b"2500 x", b"250x", b"x50 y", b"150 y", b"650 y", b" 250 y", b"250\ty", b"2\xb20 x"]
)
def test_a_line_without_a_code_is_no_reply(line: bytes) -> None:
    """And nothing is one behind it."""
    assert replies(OK + line + b"\r\n250 z\r\n") == ([reply(250, b"ok")], line)


def test_all_lines_of_a_reply_have_one_code() -> None:
    """RFC 5321, 4.2.1."""
    assert replies(b"250-a\r\n251 b\r\n") == ([], b"251 b")


def test_a_reply_has_a_limit_of_lines() -> None:
    """A backend that never comes to its last line costs no memory."""
    assert replies(b"250-a\r\n" * (LINES_LIMIT - 1) + OK)[1] is None
    assert replies(b"250-a\r\n" * LINES_LIMIT + OK)[1] == b"250 ok"


def test_what_a_dead_backend_goes_on_saying_is_not_kept() -> None:
    """A limit on every buffer."""
    dialogue = asked(b"hello\r\n")

    for _ in range(10):
        dialogue.receive(b"250 x\r\n" * 1000)

    assert dialogue.exchange.replies == 0
