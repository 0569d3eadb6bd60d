"""The SMTP dialogue of a client that is counted: which commands are asked about, and when."""

import pytest

from tests.support.dialogues import OK, RECIPIENT_OK, SENDER_OK, Talk
from ucspi_py.core.smtp.reply import Reply, reply

TOO_MUCH = b"450 4.7.1 too much\r\n"
EHLO, MAIL, RCPT = b"EHLO a.example\r\n", b"MAIL FROM:<s@example.net>\r\n", b"RCPT TO:<r@example.org>\r\n"


class Throttled(Talk):
    """A dialogue whose throttle lets so many pass. asked: the verbs that it was asked about."""

    def __init__(self, passes: int) -> None:
        super().__init__()
        self.asked: list[bytes] = []
        self._passes = passes
        self.dialogue.throttled(self._throttle)

    def _throttle(self, verb: bytes) -> Reply | None:
        self.asked.append(verb)
        return None if len(self.asked) <= self._passes else reply(450, b"4.7.1 too much")


def test_each_mail_and_recipient_is_asked_about() -> None:
    """And nothing else."""
    talk = Throttled(9)
    talk.send(EHLO, MAIL, RCPT, RCPT, b"NOOP\r\n", b"VRFY r@example.org\r\n", b"DATA\r\n", b"x\r\n.\r\n", MAIL)

    assert talk.asked == [b"MAIL", b"RCPT", b"RCPT", b"MAIL"]


def test_what_is_too_much_is_refused_and_the_session_goes_on() -> None:
    """The transaction is as it was."""
    talk = Throttled(2)
    talk.send(EHLO)

    assert talk.send(MAIL, RCPT, RCPT) == SENDER_OK + RECIPIENT_OK + TOO_MUCH
    assert talk.send(b"RSET\r\n", MAIL) == OK + TOO_MUCH
    assert talk.dialogue.envelope is None
    assert talk.dialogue.counts[b"RCPT"] == [1, 2]


@pytest.mark.parametrize(
    ("command", "is_asked"),
    [
        (b"MAIL", False),
        (b"MAIL FROM:", False),
        (b"MAIL TO:<x>", False),
        (b"MAIL FROM: <>", True),
        (b"MAIL FROM:<a b@x>", True),
        (b"MAIL FROM:<a@b> FOO", True),
        (b"RCPT TO:<r@example.org>", False),
    ],
)
def test_a_mail_is_asked_about_before_its_address_is_read(command: bytes, is_asked: bool) -> None:
    """Behind what is wrong with its order and its first word, as in smtpd.c, mail_cmd."""
    talk = Throttled(0)
    talk.send(EHLO)

    assert (talk.send(command + b"\r\n") == TOO_MUCH) is is_asked
    assert bool(talk.asked) is is_asked


@pytest.mark.parametrize(
    ("command", "is_asked"),
    [
        (b"RCPT", False),
        (b"RCPT TO:", False),
        (b"RCPT TO:<>", True),
        (b"RCPT TO:<@@>", True),
        (b"RCPT TO:<r@example.org> FOO", True),
        (b"RCPT TO: <postmaster>", True),
        (b"MAIL FROM:<>", False),
    ],
)
def test_a_recipient_is_asked_about_before_its_address_is_read(command: bytes, is_asked: bool) -> None:
    """As in smtpd.c, rcpt_cmd; postmaster is counted, too."""
    talk = Throttled(1)
    talk.send(EHLO, MAIL)

    assert (talk.send(command + b"\r\n") == TOO_MUCH) is is_asked
    assert (talk.asked == [b"MAIL", b"RCPT"]) is is_asked
