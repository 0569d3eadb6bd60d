"""The SMTP dialogue: what may be sent before a reply, and what becomes of whoever sends more (RFC 2920)."""

import pytest

from tests.support.dialogues import (
    BANNER,
    BYE,
    DENIED,
    EHLO,
    GO,
    OK,
    OUT_OF_SYNC,
    QUEUED,
    RECIPIENT_OK,
    SENDER_OK,
    Talk,
    obliging,
    session,
)
from ucspi_py.core.smtp.events import DataAsked, MessageEnded, RecipientGiven
from ucspi_py.core.smtp.reply import reply
from ucspi_py.core.smtp.settings import SmtpSettings

NO_RECIPIENTS = b"554 5.5.1 Error: no valid recipients\r\n"
UNKNOWN = b"500 5.5.2 Error: command not recognized\r\n"
SPARED = [(SmtpSettings(forbid_unauth_pipelining=False), False), (SmtpSettings(), True)]

#: Sessions in the groups in which RFC 2920, 3.1 lets a client send them.
LAWFUL = [
    [b"HELO x\r\n", b"MAIL FROM:<>\r\n", b"RCPT TO:<r@example.org>\r\n", b"DATA\r\n", b"x\r\n.\r\n", b"QUIT\r\n"],
    [
        b"EHLO x\r\n",
        b"MAIL FROM:<>\r\nRCPT TO:<no@example.org>\r\nRCPT TO:<r@example.org>\r\nDATA\r\n",
        b"x\r\n.\r\nQUIT\r\n",
    ],
    [
        b"EHLO x\r\n",
        b"MAIL FROM:<>\r\nRCPT TO:<r@example.org>\r\nDATA\r\n",
        b"x\r\n..\r\n.\r\nMAIL FROM:<s@example.net> SIZE=3\r\nRCPT TO:<r@example.org>\r\nDATA\r\n",
        b".\r\nRSET\r\nMAIL FROM:<>\r\nRCPT TO:<a@b>\r\nRSET\r\nQUIT\r\n",
    ],
    [b"EHLO x\r\n", b"MAIL FROM:<>\r\nRCPT TO:<no@example.org>\r\nDATA\r\n", b"RSET\r\nHELP\r\nVRFY a@b\r\n"],
    [
        b"EHLO x\r\n",
        b"BLAH\r\nRSET\r\n\r\nNO\0OP\r\nNOOP\nMAIL FROM:<\xe9@b>\r\n" + b"x" * 2100 + b"\r\nEXPN a\r\nNOOP\r\n",
    ],
    [b"EHLO x\r\n", b"RSET\r\nGET / HTTP/1.1\r\n", b"QUIT\r\n"],
    [b"NOOP\r\n", b"BDAT 5 LAST\r\n", b"QUIT\r\n"],
    [b"EHLO x\r\n", b"MAIL FROM:<>\r\nRCPT TO:<r@b>\r\nDATA\r\n", b"a\nb\r\n.\r\nMAIL FROM:<>\r\nNOOP\r\n"],
    [b"EHLO x\r\n", b"BLAH\r\n" * 30],
]


def cuts(groups: list[bytes], at: int) -> list[bytes]:
    """The groups, the one at a byte of the session cut there."""
    pieces, start = [], 0
    for group in groups:
        if start < at < start + len(group):
            pieces += [group[: at - start], group[at - start :]]
        else:
            pieces.append(group)
        start += len(group)
    return pieces


@pytest.mark.parametrize("groups", LAWFUL)
def test_a_session_is_the_same_however_it_is_cut(groups: list[bytes]) -> None:
    """At each byte, and in single bytes."""
    whole = session(groups)

    for at in range(len(b"".join(groups))):
        assert session(cuts(groups, at)) == whole
    assert session(bytes([byte]) for byte in b"".join(groups)) == whole
    assert not whole.said.endswith(OUT_OF_SYNC)


@pytest.mark.parametrize(("settings", "excepted"), SPARED)
@pytest.mark.parametrize("groups", LAWFUL[:3])
def test_who_is_spared_may_send_all_at_once(groups: list[bytes], settings: SmtpSettings, excepted: bool) -> None:
    """Scripts do."""
    assert session([b"".join(groups)], settings, excepted=excepted) == session(groups)


def test_replies_come_in_the_order_of_commands() -> None:
    """However long an answer takes; nothing behind it is carried out before."""
    talk = Talk()
    talk.send(b"EHLO x\r\n")
    dialogue = talk.dialogue
    dialogue.receive(b"MAIL FROM:<>\r\nRCPT TO:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\n")

    for address in (b"a", b"c"):
        event = dialogue.next()
        assert isinstance(event, RecipientGiven)
        assert (event.recipient.local, dialogue.waits, dialogue.next()) == (address, True, None)
        dialogue.answer(reply(250, b"2.1.5 Ok"))
    event = dialogue.next()
    assert isinstance(event, DataAsked)
    assert dialogue.take_output() == SENDER_OK + RECIPIENT_OK * 2
    dialogue.answer(reply(354, b"go"))
    dialogue.receive(b"x\r\n.\r\nQUIT\r\n")
    talk.go_on()
    assert talk.said.endswith(b"354 go\r\n" + QUEUED + BYE)


def test_messages_may_follow_each_other_at_once() -> None:
    """RFC 2920, 3.1: the next MAIL in the segment of the last dot."""
    talk = Talk()
    talk.send(b"EHLO x\r\n", b"MAIL FROM:<>\r\nRCPT TO:<a@b>\r\nDATA\r\n")
    said = talk.send(b"one\r\n.\r\nMAIL FROM:<>\r\nRCPT TO:<c@d>\r\nDATA\r\n", b"two\r\n.\r\nQUIT\r\n")

    assert said == QUEUED + SENDER_OK + RECIPIENT_OK + GO + QUEUED + BYE
    assert talk.content == b"one\r\ntwo\r\n"
    assert [event.size for event in talk.events if isinstance(event, MessageEnded)] == [5, 5]


def test_who_talks_before_the_banner_is_left() -> None:
    """smtpd_forbid_unauth_pipelining; what it has said is kept for the log."""
    talk = Talk(waiting=b"EHLO x\r\n" + b"y" * 200)

    assert talk.said == OUT_OF_SYNC
    assert talk.dialogue.finished
    assert talk.dialogue.end == b"early talker"
    assert talk.dialogue.last_verb == b"CONNECT"
    assert talk.dialogue.excess == b"EHLO x\r\n" + b"y" * 92


@pytest.mark.parametrize(("settings", "excepted"), SPARED)
def test_what_is_said_before_the_banner_is_carried_out_for_whoever_is_spared(
    settings: SmtpSettings, excepted: bool
) -> None:
    """It is a command as any."""
    assert Talk(settings, excepted=excepted, waiting=b"EHLO x\r\n").said == BANNER + EHLO


HELO, ESMTP = [b"HELO x\r\n"], [b"EHLO x\r\n"]
READY = [*ESMTP, b"MAIL FROM:<>\r\n", b"RCPT TO:<r@example.org>\r\n"]
#: What was said before, the command, the last verb.
FORBIDDEN = [
    ([], b"EHLO x"),
    ([], b"HELO x"),
    ([], b"MAIL FROM:<>"),
    (HELO, b"MAIL FROM:<>"),
    (HELO, b"RSET"),
    (HELO, b"QUIT"),
    (ESMTP, b"EHLO y"),
    (ESMTP, b"NOOP"),
    (ESMTP, b"VRFY a@b"),
    (ESMTP, b"DATA"),
    (READY, b"DATA"),
    (READY, b"DATA x"),
    ([*HELO, *ESMTP, *HELO], b"NOOP"),
]


@pytest.mark.parametrize(("before", "line"), FORBIDDEN)
@pytest.mark.parametrize("behind", [b"x", b"RSET\r\n", b"\r\n"])
def test_what_must_be_waited_for_is_not_carried_out(before: list[bytes], line: bytes, behind: bytes) -> None:
    """Nothing may be sent behind it; the client is left (smtpd.c, smtpd_flag_ill_pipelining)."""
    talk = Talk()
    talk.send(*before)
    talk.events.clear()

    assert talk.send(line + b"\r\n" + behind) == OUT_OF_SYNC
    assert talk.events == []
    assert talk.dialogue.finished
    assert talk.dialogue.end == b"improper pipelining"
    assert talk.dialogue.last_verb == line.split()[0]
    assert talk.dialogue.excess == behind


ALLOWED = [
    b"RSET",
    b"QUIT",
    b"HELP",
    b"MAIL FROM:<>",
    b"RCPT TO:<a@b>",
    b"AUTH PLAIN",
    b"EXPN a",
    b"ETRN a",
    b"BLAH",
    b"",
]


@pytest.mark.parametrize("line", ALLOWED)
def test_other_commands_may_be_followed_at_once(line: bytes) -> None:
    """In a session that began with EHLO."""
    talk = Talk()
    talk.send(*READY[:2])
    talk.send(line + b"\r\nRSET\r\n")

    assert talk.dialogue.end in (b"", b"quit")
    assert OUT_OF_SYNC not in talk.said


BLIND = b"MAIL FROM:<evil@example.net>\r\nRCPT TO:<evil@example.org>\r\n" + b"x" * 100 + b"\r\n.\r\n"


@pytest.mark.parametrize(("settings", "excepted"), SPARED)
def test_content_that_was_sent_blind_is_never_a_command(settings: SmtpSettings, excepted: bool) -> None:
    """DATA without a recipient is refused, and what stands behind it is content, whoever sends it."""
    talk = Talk(settings, excepted=excepted)
    said = talk.send(b"EHLO x\r\nMAIL FROM:<>\r\nRCPT TO:<no@example.org>\r\nDATA\r\n" + BLIND)

    assert said == EHLO + SENDER_OK + DENIED + NO_RECIPIENTS + OUT_OF_SYNC
    assert [event.recipient.local for event in talk.events if isinstance(event, RecipientGiven)] == [b"no"]
    assert (talk.dialogue.finished, talk.dialogue.end) == (True, b"improper pipelining")
    assert talk.dialogue.excess == BLIND[:100]


@pytest.mark.parametrize("excepted", [False, True])
def test_content_that_comes_while_data_is_asked_for_is_no_command(excepted: bool) -> None:
    """The backend refuses DATA: its reply is the client's, and nothing behind it is carried out."""
    talk = Talk(
        excepted=excepted, backend=lambda event: reply(451, b"x") if isinstance(event, DataAsked) else obliging(event)
    )
    talk.send(*READY)
    talk.dialogue.receive(b"DATA\r\n")
    assert isinstance(talk.dialogue.next(), DataAsked)
    talk.dialogue.receive(BLIND)
    talk.dialogue.answer(reply(451, b"4.3.0 later"))
    talk.go_on()

    assert talk.said.endswith(b"451 4.3.0 later\r\n" + OUT_OF_SYNC)
    assert talk.dialogue.finished


def test_content_that_comes_before_354_is_content() -> None:
    """A client in a hurry whose DATA is taken."""
    talk = Talk(excepted=True)
    talk.send(b"".join(READY) + b"DATA\r\n" + BLIND + b"QUIT\r\n")

    assert talk.said == BANNER + EHLO + SENDER_OK + RECIPIENT_OK + GO + QUEUED + BYE
    assert talk.content == BLIND[:-3]


def test_a_backend_that_hangs_up_at_data_has_the_last_word() -> None:
    """No second reply stands behind 421."""
    talk = Talk(
        excepted=True, backend=lambda event: reply(421, b"x") if isinstance(event, DataAsked) else obliging(event)
    )
    talk.send(b"".join(READY) + b"DATA\r\n" + BLIND)

    assert talk.said.endswith(RECIPIENT_OK + b"421 x\r\n")
    assert talk.dialogue.end == b"hangup"


def test_unknown_commands_may_be_followed_by_anything() -> None:
    """smtpd.c looks for what waits behind commands that it knows."""
    assert Talk().send(b"BLAH\r\nBLAH\r\n") == UNKNOWN * 2


def test_only_what_has_come_counts() -> None:
    """A client that waits for each reply is never left."""
    talk = Talk()

    assert talk.send(b"HELO x\r\n", b"NOOP\r\n", b"NO", b"OP\r\n", b"RSET\r\n") == b"250 gate.example\r\n" + OK * 3
