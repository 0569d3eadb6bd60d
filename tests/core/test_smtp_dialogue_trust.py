"""The SMTP dialogue: STARTTLS and AUTH, what is offered when, and what is forgotten."""

from base64 import b64encode

import pytest

from tests.support.dialogues import BANNER, EHLO, OK, OUT_OF_SYNC, SENDER_OK, Talk, session
from ucspi_py.core.auth.credentials import Credentials
from ucspi_py.core.auth.sasl import Fault
from ucspi_py.core.smtp.events import ExchangeFailed, LoginAsked, TlsAsked
from ucspi_py.core.smtp.reply import Reply, reply
from ucspi_py.core.smtp.session.state import Login
from ucspi_py.core.smtp.settings import Offers, SmtpSettings, Starttls

TLS = Offers(starttls=Starttls.YES)
CLEAR = Offers(mechanisms=(b"PLAIN", b"LOGIN", b"CRAM-MD5"), nonce=b"1234")
BOTH = Offers(starttls=Starttls.YES, mechanisms=(b"CRAM-MD5",), secured_mechanisms=(b"PLAIN", b"LOGIN"), nonce=b"1234")
READY = b"220 2.0.0 Ready to start TLS\r\n"
TLS_FIRST = b"530 5.7.0 Must issue a STARTTLS command first\r\n"
IN, WRONG = (
    b"235 2.7.0 Authentication successful\r\n",
    b"535 5.7.8 Error: authentication failed: (reason unavailable)\r\n",
)
NOT_ENABLED = b"503 5.5.1 Error: authentication not enabled\r\n"
NOT_BASE64 = b"501 5.5.2 Error: authentication failed: Invalid base64 data\r\n"
RIGHT, FALSE = b64encode(b"\0u\0right"), b64encode(b"\0u\0false")
USERNAME, PASSWORD = b"334 VXNlcm5hbWU6\r\n", b"334 UGFzc3dvcmQ6\r\n"


def ehlo(*offered: bytes) -> bytes:
    """The reply to EHLO with these keywords."""
    return EHLO.replace(b"250 8BIT", b"".join(b"250-%b\r\n" % one for one in offered) + b"250 8BIT")


# STARTTLS


def test_tls_is_offered_until_it_has_begun() -> None:
    """In the middle of the list, where old clients find it."""
    talk = Talk(offers=TLS)

    assert talk.send(b"EHLO x\r\n") == ehlo(b"STARTTLS")
    assert talk.send(b"STARTTLS\r\n") == READY
    assert talk.dialogue.within_tls
    assert talk.send(b"EHLO x\r\n") == ehlo()
    assert talk.send(b"STARTTLS\r\n") == b"554 5.5.1 Error: TLS already active\r\n"
    assert talk.send(b"STARTTLS x\r\n") == b"501 5.5.4 Syntax: STARTTLS\r\n"


def test_tls_forgets_what_was_said_in_the_clear() -> None:
    """Name, transaction and login (RFC 3207, 4.2): somebody else may have said it."""
    talk = Talk(SmtpSettings(helo_required=True), offers=CLEAR._replace(starttls=Starttls.YES))
    talk.send(b"EHLO x\r\n", b"AUTH PLAIN %b\r\nMAIL FROM:<>\r\n" % RIGHT)
    assert talk.dialogue.login == Login(b"u", b"PLAIN")

    talk.send(b"STARTTLS\r\n")

    assert talk.dialogue.login is None
    assert not talk.dialogue.helo
    assert not talk.dialogue.esmtp
    assert talk.send(b"MAIL FROM:<>\r\n") == b"503 5.5.1 Error: send HELO/EHLO first\r\n"
    assert talk.send(b"RCPT TO:<r@example.org>\r\n") == b"503 5.5.1 Error: need MAIL command\r\n"


def test_a_transaction_ends_by_tls() -> None:
    """As in Postfix."""
    talk = Talk(offers=TLS)

    talk.send(b"EHLO x\r\n", b"MAIL FROM:<>\r\nRCPT TO:<r@example.org>\r\n")
    talk.send(b"STARTTLS\r\n")

    asked = talk.events[-1]
    assert isinstance(asked, TlsAsked)
    assert asked.envelope is not None
    assert len(asked.envelope.recipients) == 1
    assert talk.dialogue.envelope is None
    assert talk.dialogue.idle


@pytest.mark.parametrize("excepted", [False, True])
def test_no_byte_survives_starttls(excepted: bool) -> None:
    """Whoever it is: what came in the clear would be obeyed as if it had been said within TLS (CVE-2011-0411)."""
    talk = Talk(offers=TLS, excepted=excepted)
    talk.send(b"EHLO x\r\n")

    assert talk.send(b"STARTTLS\r\nMAIL FROM:<evil@example.net>\r\n") == OUT_OF_SYNC

    assert talk.dialogue.finished
    assert talk.dialogue.end == b"improper pipelining"
    assert talk.dialogue.excess == b"MAIL FROM:<evil@example.net>\r\n"
    assert not talk.dialogue.within_tls


def test_nothing_goes_on_between_the_reply_and_tls() -> None:
    """What comes then is thrown away."""
    talk = Talk(offers=TLS)
    dialogue = talk.dialogue
    dialogue.receive(b"STARTTLS\r\n")
    assert isinstance(dialogue.next(), TlsAsked)
    dialogue.answer(reply(220, b"2.0.0 Ready to start TLS"))
    dialogue.receive(b"NOOP\r\n")

    assert dialogue.next() is None
    assert dialogue.waits
    assert dialogue.take_output() == READY
    dialogue.secured()
    assert dialogue.next() is None
    assert not dialogue.take_output()
    assert talk.send(b"NOOP\r\n") == OK


def test_the_reply_before_tls_waits_for_no_pause() -> None:
    """Also that of a client with many errors: behind it nothing is said in the clear."""
    talk = Talk(SmtpSettings(soft_error_limit=1), offers=TLS)
    talk.send(b"x\r\n", b"x\r\n")

    assert talk.send(b"STARTTLS\r\n") == READY
    assert talk.pauses == 1


def test_a_certificate_that_is_gone_is_not_offered() -> None:
    """And said for now to who asks for it nevertheless."""
    talk = Talk(offers=Offers(starttls=Starttls.BROKEN))

    assert talk.send(b"EHLO x\r\n") == ehlo()
    assert talk.send(b"STARTTLS\r\n") == b"454 4.7.0 TLS not available due to local problem\r\n"
    assert talk.send(b"NOOP\r\n") == OK


def test_tls_that_fails_at_the_last_moment_is_refused() -> None:
    """The session goes on in the clear."""
    talk = Talk(offers=TLS)
    talk.dialogue.receive(b"STARTTLS\r\n")
    talk.dialogue.next()
    talk.dialogue.answer(reply(454, b"4.7.0 TLS not available due to local problem"))

    assert talk.dialogue.next() is None
    assert talk.dialogue.take_output()[:4] == b"454 "
    assert talk.send(b"NOOP\r\n") == OK


def test_without_tls_there_is_no_such_command() -> None:
    """As before there was any."""
    assert Talk().send(b"STARTTLS\r\n") == b"502 5.5.1 Error: command not implemented\r\n"


@pytest.mark.parametrize(
    "command", [b"MAIL FROM:<>", b"RCPT TO:<r@example.org>", b"DATA", b"RSET", b"VRFY x", b"ETRN x", b"AUTH PLAIN"]
)
def test_where_tls_is_required_most_commands_wait_for_it(command: bytes) -> None:
    """smtpd_tls_security_level = encrypt."""
    talk = Talk(offers=BOTH._replace(requires_tls=True))
    talk.send(b"EHLO x\r\n")

    assert talk.send(command + b"\r\n") == TLS_FIRST
    talk.send(b"STARTTLS\r\n")
    assert talk.send(command + b"\r\n") != TLS_FIRST


@pytest.mark.parametrize(
    ("command", "code"),
    [(b"EHLO x", b"250"), (b"HELO x", b"250"), (b"NOOP", b"250"), (b"HELP", b"214"), (b"QUIT", b"221"), (b"X", b"500")],
)
def test_where_tls_is_required_some_commands_do_not(command: bytes, code: bytes) -> None:
    """RFC 3207, 4; and what is no command is none."""
    talk = Talk(offers=TLS._replace(requires_tls=True))

    assert talk.send(command + b"\r\n")[:3] == code


def test_a_session_may_begin_within_tls() -> None:
    """Behind an implicit one there is no other."""
    talk = Talk(offers=BOTH._replace(secured=True, requires_tls=True))

    assert talk.said == BANNER
    assert talk.send(b"EHLO x\r\n") == ehlo(b"AUTH PLAIN LOGIN")
    assert talk.send(b"STARTTLS\r\n") == b"554 5.5.1 Error: TLS already active\r\n"
    assert talk.send(b"MAIL FROM:<>\r\n") == SENDER_OK


# AUTH


def test_each_side_of_tls_has_its_mechanisms() -> None:
    """And nobody hears of those that are not his."""
    talk = Talk(offers=BOTH)

    assert talk.send(b"EHLO x\r\n") == ehlo(b"STARTTLS", b"AUTH CRAM-MD5")
    talk.send(b"STARTTLS\r\n")
    assert talk.send(b"EHLO x\r\n") == ehlo(b"AUTH PLAIN LOGIN")


def test_old_clients_are_told_once_more() -> None:
    """broken_sasl_auth_clients."""
    talk = Talk(offers=CLEAR._replace(broken_clients=True))

    assert talk.send(b"EHLO x\r\n") == ehlo(b"AUTH PLAIN LOGIN CRAM-MD5", b"AUTH=PLAIN LOGIN CRAM-MD5")


def test_the_right_password_lets_in() -> None:
    """Once; by any spelling of command and mechanism."""
    talk = Talk(offers=CLEAR)

    assert talk.send(b"auth plain %b\r\n" % RIGHT) == IN
    assert talk.events == [LoginAsked(Credentials(b"PLAIN", b"u", b"right"))]
    assert talk.dialogue.login == Login(b"u", b"PLAIN")
    assert talk.send(b"AUTH PLAIN %b\r\n" % RIGHT) == b"503 5.5.1 Error: already authenticated\r\n"
    assert talk.send(b"RSET\r\n") == OK
    assert talk.send(b"EHLO x\r\n") == ehlo(b"AUTH PLAIN LOGIN CRAM-MD5")
    assert talk.dialogue.login


def test_a_wrong_password_is_refused_and_may_be_mended() -> None:
    """What was sent behind it is answered in its turn."""
    talk = Talk(offers=CLEAR)
    talk.send(b"EHLO x\r\n")

    assert talk.send(b"AUTH PLAIN %b\r\nMAIL FROM:<>\r\nRSET\r\n" % FALSE) == WRONG + SENDER_OK + OK
    assert talk.dialogue.login is None
    assert talk.send(b"AUTH LOGIN\r\n", b64encode(b"u") + b"\r\n", b64encode(b"right") + b"\r\n") == (
        USERNAME + PASSWORD + IN
    )
    assert talk.dialogue.counts[b"AUTH"] == [1, 2]


def test_cram_md5_never_asks_the_same_twice() -> None:
    """A digest that was heard is worth nothing."""
    talk = Talk(offers=CLEAR)

    first = talk.send(b"AUTH CRAM-MD5\r\n")
    talk.send(b"*\r\n")

    assert first == b"334 %b\r\n" % b64encode(b"<1234.1@gate.example>")
    assert talk.send(b"AUTH CRAM-MD5\r\n") == b"334 %b\r\n" % b64encode(b"<1234.2@gate.example>")


@pytest.mark.parametrize(
    ("command", "refusal", "why"),
    [
        (b"AUTH FOO", b"504 5.5.4 Error: authentication failed: Invalid authentication mechanism", Fault.UNKNOWN),
        (b"AUTH PLAIN !", NOT_BASE64[:-2], Fault.NOT_BASE64),
        (b"AUTH PLAIN =", WRONG[:-2], Fault.MALFORMED),
        (
            b"AUTH CRAM-MD5 eHg=",
            b"501 5.7.0 Error: authentication failed: Initial response not expected",
            Fault.NOT_FIRST,
        ),
    ],
    ids=["unknown", "base64", "empty", "too soon"],
)
def test_what_comes_to_no_credentials_is_refused_and_told(command: bytes, refusal: bytes, why: Fault) -> None:
    """Without asking anybody."""
    talk = Talk(offers=CLEAR)

    assert talk.send(command + b"\r\n") == refusal + b"\r\n"
    assert talk.events == [ExchangeFailed(command.split()[1], why)]
    assert talk.send(b"NOOP\r\n") == OK


def test_a_client_may_give_up() -> None:
    """By a star."""
    talk = Talk(offers=CLEAR)

    assert talk.send(b"AUTH PLAIN\r\n") == b"334 \r\n"
    assert talk.send(b"*\r\n") == b"501 5.7.0 Authentication aborted\r\n"
    assert talk.events == [ExchangeFailed(b"PLAIN", Fault.ABORTED)]
    assert talk.send(b"NOOP\r\n") == OK


@pytest.mark.parametrize("said", [b"AUTH", b"AUTH PLAIN a b"])
def test_auth_names_one_mechanism(said: bytes) -> None:
    """And one response at most."""
    assert Talk(offers=CLEAR).send(said + b"\r\n") == b"501 5.5.4 Syntax: AUTH mechanism\r\n"


def test_auth_has_its_time() -> None:
    """Not where it is not enabled, not within a transaction, and not before HELO where that is wanted."""
    assert Talk(offers=TLS).send(b"AUTH PLAIN\r\n") == NOT_ENABLED
    talk = Talk(offers=CLEAR)
    talk.send(b"MAIL FROM:<>\r\n")
    assert talk.send(b"AUTH PLAIN\r\n") == b"503 5.5.1 Error: MAIL transaction in progress\r\n"
    talk = Talk(SmtpSettings(helo_required=True), offers=CLEAR)
    assert talk.send(b"AUTH PLAIN\r\n") == b"503 5.5.1 Error: send HELO/EHLO first\r\n"


@pytest.mark.parametrize("said", [b"AUTH PLAIN", b"AUTH PLAIN " + RIGHT, b"AUTH LOGIN", b"AUTH PLAIN !"])
def test_no_password_is_asked_for_in_the_clear(said: bytes) -> None:
    """Nor read, where it is taken only within TLS."""
    talk = Talk(offers=BOTH)

    assert talk.send(said + b"\r\n") == b"504 5.5.4 Encryption required for requested authentication mechanism\r\n"
    assert talk.events == [ExchangeFailed(said.split()[1], Fault.WANTS_TLS)]


@pytest.mark.parametrize(
    ("response", "refusal"),
    [
        (b"A" * 12289 + b"\r\n", b"500 5.5.6 SASL response limit exceeded\r\n"),
        (b"A" * 60000 + b"\r\n", b"500 5.5.6 SASL response limit exceeded\r\n"),
        (b"A" * 12288 + b"\r\n", WRONG),
        (b"\0\r\n", NOT_BASE64),
        (b"QU\rFB\r\n", NOT_BASE64),
        (b"QUFB\n", NOT_BASE64),
        (b"\xff\r\n", NOT_BASE64),
        (b"\r\n", WRONG),
    ],
    ids=["too long", "far too long", "long", "NUL", "CR", "LF", "8-bit", "empty"],
)
def test_a_response_that_is_none_ends_the_exchange(response: bytes, refusal: bytes) -> None:
    """The next line is a command again, of a command's length."""
    talk = Talk(offers=CLEAR)
    talk.send(b"AUTH PLAIN\r\n")

    assert talk.send(response) == refusal
    assert talk.send(b"NOOP\r\n") == OK
    assert talk.send(b"NOOP " + b"x" * 2100 + b"\r\n") == b"500 5.5.2 gate.example Error: command too long\r\n"


def test_a_bare_newline_ends_a_response_where_it_ends_a_command() -> None:
    """Of those who are excepted."""
    talk = Talk(offers=CLEAR, excepted=True)

    assert talk.send(b"AUTH PLAIN\r\n" + RIGHT + b"\n") == b"334 \r\n" + IN


def test_a_client_that_leaves_within_an_exchange_is_lost() -> None:
    """After AUTH."""
    talk = Talk(offers=CLEAR)
    talk.send(b"AUTH LOGIN\r\n")

    talk.end()

    assert talk.dialogue.end == b"lost connection"
    assert talk.dialogue.last_verb == b"AUTH"


def test_a_checker_that_cannot_tell_keeps_nobody_from_trying_again() -> None:
    """454 is an error, and no end."""
    talk = Talk(offers=CLEAR, backend=lambda _event: reply(454, b"4.7.0 Temporary authentication failure"))

    assert talk.send(b"AUTH PLAIN %b\r\n" % RIGHT) == b"454 4.7.0 Temporary authentication failure\r\n"
    assert talk.dialogue.login is None


def test_who_is_turned_away_may_say_quit() -> None:
    """All else ends the session."""

    def turned_away() -> Talk:
        talk = Talk(offers=CLEAR)
        talk.dialogue.turn_away(reply(421, b"4.7.0 gate.example Error: too many errors"))
        return talk

    assert turned_away().send(b"QUIT\r\n") == b"221 2.0.0 Bye\r\n"
    talk = turned_away()
    assert talk.send(b"AUTH PLAIN %b\r\n" % RIGHT) == b"421 4.7.0 gate.example Error: too many errors\r\n"
    assert talk.dialogue.finished


def test_too_many_logins_are_refused_unread() -> None:
    """smtpd_client_auth_rate_limit."""
    talk = Talk(offers=CLEAR)
    asked: list[bytes] = []

    def throttle(verb: bytes) -> Reply:
        asked.append(verb)
        return reply(450, b"4.7.1 Error: too many AUTH commands from 192.0.2.1")

    talk.dialogue.throttled(throttle)

    assert talk.send(b"AUTH\r\n")[:4] == b"501 "
    assert talk.send(b"AUTH PLAIN %b\r\n" % RIGHT)[:10] == b"450 4.7.1 "
    assert asked == [b"AUTH"]


GROUPS = [
    b"EHLO x\r\n",
    b"AUTH LOGIN %b\r\n" % b64encode(b"u"),
    b64encode(b"false") + b"\r\nMAIL FROM:<a@b>\r\nRSET\r\n",
    b"AUTH CRAM-MD5\r\n",
    b"*\r\nNOOP\r\n",
    b"STARTTLS\r\n",
    b"EHLO x\r\n",
    b"AUTH LOGIN\r\n",
    b64encode(b"u") + b"\r\n",
    b64encode(b"right") + b"\r\nMAIL FROM:<a@b> AUTH=<>\r\nRCPT TO:<r@example.org>\r\nDATA\r\n",
    b"x\r\n.\r\nAUTH LOGIN\r\nQUIT\r\n",
]


def test_a_session_is_the_same_however_it_is_cut() -> None:
    """In two pieces at each byte of each group, and each byte alone."""
    offers = CLEAR._replace(starttls=Starttls.YES, secured_mechanisms=(b"LOGIN",))
    whole = session(GROUPS, offers=offers)

    assert whole.end == b"quit"
    assert [type(event) for event in whole.events if isinstance(event, LoginAsked | TlsAsked)] == [
        LoginAsked,
        TlsAsked,
        LoginAsked,
    ]
    for number, group in enumerate(GROUPS):
        for at in range(1, len(group)):
            cut = [*GROUPS[:number], group[:at], group[at:], *GROUPS[number + 1 :]]
            assert session(cut, offers=offers) == whole
    assert session((bytes([byte]) for byte in b"".join(GROUPS)), offers=offers) == whole


# What MAIL may say of it, and what a log may have of it


def test_the_word_of_a_client_about_the_sender_is_taken_and_not_believed() -> None:
    """RFC 4954, 5, wherever AUTH is enabled, if perhaps not yet."""
    talk = Talk(offers=BOTH)
    talk.send(b"EHLO x\r\n")

    for said in (b"<>", b"a+2Bb@example.net"):
        assert talk.send(b"MAIL FROM:<> AUTH=%b\r\nRSET\r\n" % said) == SENDER_OK + OK
    assert talk.send(b"MAIL FROM:<> AUTH\r\n")[:4] == b"555 "
    assert Talk(offers=TLS).send(b"MAIL FROM:<> AUTH=<>\r\n")[:4] == b"555 "


@pytest.mark.parametrize(
    "pieces",
    [
        (b"EHLO x\r\nAUTH PLAIN aHVzaA==\r\n",),
        (b"EHLO x\r\n", b"STARTTLS\r\nAUTH PLAIN aHVzaA==\r\n"),
        (b"AUTH LOGIN\r\n", b"aHVzaA==\r\n", b"5BhbHVzaA==\r\n"),
        (b"EHLO x\r\n", b"AUTH FOO\r\n5BhbHVzaA==\r\n"),
        (b"EHLO x\r\n", b"AUTH FOO\r\naHVzaA==\r\n5BhbHVzaA==\r\n"),
        (b"EHLO x\r\nDATA\r\nauth plain\r\naHVzaA==\r\n",),
    ],
)
def test_no_password_is_left_for_the_log(pieces: tuple[bytes, ...]) -> None:
    """Also of a client that does not wait, or goes on where it was refused."""
    talk = Talk(offers=TLS._replace(secured_mechanisms=(b"LOGIN",)))

    talk.send(*pieces)

    assert b"HVz" not in talk.dialogue.excess
    assert b"HVz" not in talk.said
