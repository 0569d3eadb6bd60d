"""Logins at the gate, without a server: parameters, what is offered, what a login changes, how it is answered."""

import re
from dataclasses import replace

import pytest

from ucspi_py.core.auth.answer import Verdict
from ucspi_py.core.auth.checkpassword import Order
from ucspi_py.core.errors import AskedWrongly
from ucspi_py.core.gate.language.configuration import Configuration
from ucspi_py.core.gate.language.syntax import option, settings
from ucspi_py.core.gate.logins import answers
from ucspi_py.core.gate.logins.configured import login_settings
from ucspi_py.core.gate.logins.guarded import guard_settings
from ucspi_py.core.gate.logins.logged_in import is_sound, logged_in
from ucspi_py.core.gate.logins.offered import offered
from ucspi_py.core.gate.logins.settings import LoginSettings, SaslType
from ucspi_py.core.gate.settings import GateSettings
from ucspi_py.core.gate.visitor import backend_environment, visitor
from ucspi_py.core.smtp.verdict import Refuse

ALL = (b"PLAIN", b"LOGIN", b"CRAM-MD5")
IP = b"192.0.2.7"
NO_PLAIN = "smtpd_sasl_security_options=noanonymous, noplaintext"
STRANGER = {b"PROTO": b"TCP", b"TCPREMOTEIP": IP}


def asked(*options: str, text: str = "") -> LoginSettings:
    """The logins of a file and options."""
    return login_settings(Configuration([*settings("main.cf", text), *map(option, options)], "/etc/postfix"))


def test_without_a_word_postfixs_defaults_hold() -> None:
    """Cyrus, any mechanism but anonymous ones, and passwords in the clear, too."""
    assert asked() == replace(LoginSettings(), smtpd_tls_auth_only=False)


def test_without_a_file_no_password_is_taken_in_the_clear() -> None:
    """Unless an option says so."""
    assert login_settings(Configuration([])).smtpd_tls_auth_only
    assert not login_settings(Configuration([option("smtpd_tls_auth_only=no")])).smtpd_tls_auth_only


def test_each_parameter_is_taken() -> None:
    """Under Postfix's name, in any case."""
    found = asked(
        "smtpd_sasl_type=Dovecot",
        "smtpd_sasl_path=private/auth",
        "queue_directory=/var/spool/other",
        "cyrus_sasl_config_path=/etc/sasl2",
        "smtpd_sasl_local_domain=$myhostname",
        "smtpd_sasl_response_limit=1000",
        "broken_sasl_auth_clients=yes",
        "checkpassword_cram_order=challenge, response",
        text="myhostname = mx.example.org\n",
    )

    assert found.smtpd_sasl_type is SaslType.DOVECOT
    assert (found.smtpd_sasl_path, found.queue_directory) == ("private/auth", "/var/spool/other")
    assert (found.cyrus_sasl_config_path, found.smtpd_sasl_local_domain) == ("/etc/sasl2", "mx.example.org")
    assert (found.smtpd_sasl_response_limit, found.broken_sasl_auth_clients) == (1000, True)
    assert found.checkpassword_cram_order is Order.CHALLENGE_FIRST


@pytest.mark.parametrize(
    ("word", "sentence"),
    [
        ("smtpd_sasl_type=pam", "must be cyrus, dovecot, saslauthd or checkpassword, not 'pam'"),
        ("smtpd_sasl_security_options=noanonymous nopain", "must be noplaintext, noactive, nodictionary, noanonymous"),
        ("smtpd_sasl_mechanism_filter=hash:/etc/m", "takes names of mechanisms such as plain and !login"),
        ("smtpd_sasl_exceptions_networks=!192.0.2.1", "takes no exceptions"),
        ("smtpd_sasl_response_limit=20000", "must be a number from 1 to 12288"),
        ("checkpassword_cram_order=both", "must be response,challenge or challenge,response"),
    ],
)
def test_a_wrong_value_is_refused_at_its_place(word: str, sentence: str) -> None:
    """With what is taken."""
    with pytest.raises(AskedWrongly, match=f"^-o: {word.partition('=')[0]} {sentence}"):
        asked(word)


def test_the_limit_of_users_is_told_its_place() -> None:
    """For who cannot count it."""
    text = "\nsmtpd_sasl_recipient_hourly_limit = 100\n"

    assert asked(text=text).hourly_recipient_limit == 100
    assert asked(text=text).where == "main.cf line 2: smtpd_sasl_recipient_hourly_limit"
    assert asked().where == ""


@pytest.mark.parametrize(
    ("options", "secured", "expected"),
    [
        ((), False, b"LOGIN PLAIN"),
        ((NO_PLAIN,), False, b""),
        ((NO_PLAIN,), True, b""),
        (
            (NO_PLAIN, "smtpd_sasl_tls_security_options=noanonymous"),
            True,
            b"LOGIN PLAIN",
        ),
        (("smtpd_sasl_mechanism_filter=cram-md5 plain",), False, b"CRAM-MD5 PLAIN"),
        (("smtpd_sasl_mechanism_filter=!login, static:all",), False, b"PLAIN"),
        (("smtpd_sasl_mechanism_filter=plain, !plain",), False, b"PLAIN"),
        (("smtpd_sasl_mechanism_filter=cram-md5, static:all", NO_PLAIN), False, b"CRAM-MD5"),
        (("smtpd_sasl_mechanism_filter=cram-md5", "smtpd_sasl_security_options=noactive"), False, b""),
        (("smtpd_sasl_security_options=nodictionary",), False, b""),
        (("smtpd_sasl_type=dovecot", "smtpd_sasl_security_options=nodictionary"), False, b"LOGIN PLAIN"),
        (("smtpd_sasl_type=dovecot", "smtpd_sasl_security_options=mutual_auth"), False, b""),
        (("smtpd_sasl_exceptions_networks=192.0.2.0/24",), True, b""),
        (("smtpd_sasl_exceptions_networks=198.51.100.0/24",), True, b"LOGIN PLAIN"),
    ],
)  # fmt: skip
def test_what_a_client_is_offered(options: tuple[str, ...], secured: bool, expected: bytes) -> None:
    """CRAM-MD5 by its name only."""
    assert b" ".join(offered(asked(*options), ALL, IP, secured=secured)) == expected


def test_what_cannot_be_checked_is_not_offered() -> None:
    """While whoever checks is away."""
    assert offered(LoginSettings(), (), IP, secured=True) == ()
    assert offered(LoginSettings(), (b"PLAIN",), IP, secured=True) == (b"PLAIN",)


def test_a_login_is_told_to_the_backend() -> None:
    """It relays, and stands in the header; nobody else's verdict counts any more."""
    client = visitor(STRANGER, GateSettings(), Refuse(553, b"listed"))
    user = logged_in(client, STRANGER, b"user", b"CRAM-MD5")

    assert not client.is_trusted
    assert user.is_trusted
    assert (user.relays, user.refusal, user.login, user.method) == (False, None, b"user", b"CRAM-MD5")
    assert backend_environment(STRANGER, user) == {
        **STRANGER,
        b"RELAYCLIENT": b"",
        b"TCPREMOTEINFO": b"user",
        b"SMTPAUTHUSER": b"user",
        b"SMTP_AUTH_USER": b"user",
        b"SMTPAUTHMETHOD": b"cram-md5",
        b"AUTHINFO": b"user",
        b"AUTHENTICATED": b"1",
    }


def test_a_rule_has_said_more_of_relaying() -> None:
    """qmail appends the value of RELAYCLIENT to each recipient; a forged login is another's no more."""
    environment = {**STRANGER, b"PROTO": b"TCP6", b"RELAYCLIENT": b"@fixme", b"AUTHINFO": b"forged"}
    user = logged_in(visitor(environment, GateSettings()), environment, b"user", b"PLAIN")
    told = backend_environment(environment, user)

    assert told[b"RELAYCLIENT"] == b"@fixme"
    assert told[b"AUTHINFO"] == b"user"
    assert told[b"TCP6REMOTEINFO"] == b"user"


@pytest.mark.parametrize(("channel", "expected"), [(b"authenticated", b"authenticated"), (b"", b"external")])
def test_whoever_has_logged_in_may_be_of_another_class(channel: bytes, expected: bytes) -> None:
    """For lists and for the backend; unless told, of the one of its rule."""
    environment = STRANGER | {b"CHANNEL": b"external"}
    user = logged_in(visitor(environment, GateSettings()), environment, b"user", b"PLAIN", channel)

    assert user.channel == expected
    assert backend_environment(environment, user)[b"CHANNEL"] == expected


def test_the_name_of_a_class_is_one_word() -> None:
    assert asked("smtpd_sasl_channel=authenticated").smtpd_sasl_channel == b"authenticated"
    with pytest.raises(AskedWrongly, match="smtpd_sasl_channel must be one word"):
        asked("smtpd_sasl_channel=a b")


@pytest.mark.parametrize("login", [b"", b"a\nb", b"a\0b", b"a\x7f", b"\tb", b"x" * 256])
def test_what_may_stand_in_no_environment(login: bytes) -> None:
    """Control characters, and what is too long."""
    assert not is_sound(login)


@pytest.mark.parametrize("login", [b"a b", b"user@example.org", b"\xc3\xa4", b"x" * 255])
def test_any_other_login_may(login: bytes) -> None:
    """In UTF-8, too."""
    assert is_sound(login)


def test_a_client_learns_nothing_of_users() -> None:
    """The words of a wrong password are all there are."""
    assert answers.answer(Verdict.YES).wire == b"235 2.7.0 Authentication successful\r\n"
    assert answers.answer(Verdict.NO).wire == (b"535 5.7.8 Error: authentication failed: authentication failure\r\n")
    assert answers.answer(Verdict.LATER).code == 454


def test_each_failure_takes_longer_and_the_third_is_the_last() -> None:
    """RFC 4954, 4: not before three of them."""
    assert [answers.delay(failures) for failures in (1, 2, 3, 4)] == [3.0, 4.0, 5.0, 5.0]
    assert [answers.is_last(failures) for failures in (0, 1, 2, 3)] == [False, False, False, True]


@pytest.mark.parametrize(
    ("path", "flaw"),
    [
        ("", "there is no checkpassword program"),
        ("/bin/true", "/bin/true checks no passwords: is the checkpassword program missing before it?"),
    ],
)
def test_without_a_checker_nobody_starts_for_whom_logins_are_never_offered(path: str, flaw: str) -> None:
    with pytest.raises(AskedWrongly, match=f"^{re.escape(flaw)}$"):
        guard_settings(asked("smtpd_sasl_type=checkpassword", f"smtpd_sasl_path={path}"))
