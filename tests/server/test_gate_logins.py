"""Clients log in at a running gate, by smtplib and swaks; saslauthd, Dovecot and a checkpassword program tell."""

import contextlib
import re
import smtplib
import subprocess
from base64 import b64encode
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from tests.support.backends.known import Scripted
from tests.support.dovecot import Dovecot
from tests.support.gate import MAIL, RCPT, RELAY, Gate, gated
from tests.support.programs import theirs
from tests.support.saslauthd import Saslauthd
from tests.support.smtp_client import Content, Step

JOE, PASSWORD = "joe", "s3cret"
FOREIGN = b"RCPT TO:<far@elsewhere.example>"
DENIED = b"554 5.7.1 <far@elsewhere.example>: Relay access denied"
IN = b"235 2.7.0 Authentication successful"
WRONG = b"535 5.7.8 Error: authentication failed: authentication failure"
ENABLED = ("smtpd_sasl_auth_enable=yes", "smtpd_tls_auth_only=no")
#: What a backend is told of a login.
TOLD = {
    b"RELAYCLIENT": b"",
    b"TCPREMOTEINFO": b"joe",
    b"SMTPAUTHUSER": b"joe",
    b"SMTP_AUTH_USER": b"joe",
    b"SMTPAUTHMETHOD": b"plain",
    b"AUTHINFO": b"joe",
    b"AUTHENTICATED": b"1",
}
LOGGED_IN = b"smtpgate: client=unknown[192.0.2.7], sasl_method=%b, sasl_username=joe\n"
FAILED = b"smtpgate: warning: unknown[192.0.2.7]: SASL PLAIN authentication failed: authentication failure"


def plain(login: str = JOE, password: str = PASSWORD) -> bytes:
    """AUTH PLAIN with its response."""
    return b"AUTH PLAIN " + b64encode(f"\0{login}\0{password}".encode())


@pytest.fixture(scope="module")
def saslauthd() -> Iterator[Saslauthd]:
    """Debian's."""
    with Saslauthd({JOE: PASSWORD, "ann": "other"}) as daemon:
        yield daemon


@pytest.fixture(scope="module")
def gate(backend: Scripted, saslauthd: Saslauthd, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gate]:
    """A gate that asks it."""
    parameters = (*ENABLED, "smtpd_sasl_type=saslauthd", f"smtpd_sasl_path={saslauthd.path}")
    with gated(backend.argv, tmp_path_factory.mktemp("gate"), parameters=parameters) as running:
        yield running


@contextlib.contextmanager
def smtp(gate: Gate) -> Iterator[smtplib.SMTP]:
    """The standard library's client."""
    with smtplib.SMTP("127.0.0.1", gate.port) as client:
        client.ehlo("client.example.net")
        yield client


def test_a_roaming_user(gate: Gate, backend: Scripted) -> None:
    """S0 by AUTH: unknown and refused, then logged in, and it relays with an untouched program; nobody else does."""
    assert gate.converse([b"EHLO c", MAIL, FOREIGN])[-1] == DENIED
    mark = gate.mark()
    with gate.client() as client:
        said = client.converse([b"EHLO c", plain(), MAIL, FOREIGN, b"RSET", MAIL, FOREIGN])
        assert said[1] == IN
        assert [line[:4] for line in said[2:]] == [b"250 "] * 5
    told = backend.last().environment
    assert {name: told.get(name) for name in TOLD} == TOLD
    assert LOGGED_IN % b"PLAIN" in gate.since(mark)
    assert gate.converse([b"EHLO c", MAIL, FOREIGN])[-1] == DENIED


@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN"])
@pytest.mark.parametrize("initial", [True, False])
def test_smtplib_logs_in(gate: Gate, mechanism: str, initial: bool) -> None:
    """By each mechanism, with and without an initial response."""
    with smtp(gate) as client:
        client.user, client.password = JOE, PASSWORD
        respond = client.auth_plain if mechanism == "PLAIN" else client.auth_login
        assert client.auth(mechanism, respond, initial_response_ok=initial)[0] == 235
        assert client.docmd("AUTH PLAIN") == (503, b"5.5.1 Error: already authenticated")


@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN"])
def test_swaks_sends_a_message(gate: Gate, mechanism: str) -> None:
    """Through to the program, and the lines of login and message name the user."""
    mark = gate.mark()
    swaks(gate, mechanism)
    said = gate.since(mark)

    assert LOGGED_IN % mechanism.encode() in said
    assert b" relay=yes sasl_method=%b sasl_username=joe\n" % mechanism.encode() in said


def swaks(gate: Gate, mechanism: str, *options: str, user: str = JOE, password: str = PASSWORD) -> str:
    """Send a message to elsewhere; what swaks says."""
    server = f"127.0.0.1:{gate.port}"
    words = (theirs("swaks"), "--server", server, "--from", "s@example.net", "--to", "far@elsewhere.example")
    login = ("--auth", mechanism, "--auth-user", user, "--auth-password", password)
    done = subprocess.run([*words, *login, *options], capture_output=True, text=True, check=False, timeout=30)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_a_wrong_password(gate: Gate) -> None:
    """Is told late, and what is behind it in its order; one line of the log has address and user, and no password."""
    mark = gate.mark()
    with gate.client() as client:
        client.ask(b"EHLO c")
        client.socket.sendall(plain(JOE, "wr0ng-w0rd") + b"\r\nRSET\r\n")
        assert [client.reply(), client.reply()] == [WRONG, b"250 2.0.0 Ok"]
    said = gate.since(mark)

    assert said.count(FAILED) == 1
    assert re.search(re.escape(FAILED) + rb"[^\n]*, sasl_username=joe\n", said)
    assert b"wr0ng-w0rd" not in gate.log()
    assert b64encode(b"\0joe\0wr0ng-w0rd") not in gate.log()


def test_who_logs_in_behind_a_message_of_a_stranger(gate: Gate, backend: Scripted) -> None:
    """Has another program, as that of the stranger does not relay; RSET and EHLO keep the login and the program."""
    runs = len(backend.visits())
    with gate.client() as client:
        sent: Sequence[Step] = [b"EHLO c", MAIL, RCPT, b"DATA", Content(b"x\r\n.\r\n"), MAIL, FOREIGN, b"RSET"]
        assert [line[:3] for line in client.converse(sent)] == [b"250"] * 3 + [b"354", b"250", b"250", b"554", b"250"]
        said = client.converse([plain(), MAIL, FOREIGN, b"RSET", b"EHLO c", MAIL, FOREIGN, b"QUIT"])
        assert [line[:3] for line in said] == [b"235"] + [b"250"] * 6 + [b"221"]
    stranger, user = backend.since(runs)

    assert stranger.environment.get(b"RELAYCLIENT") is stranger.environment.get(b"SMTPAUTHUSER") is None
    assert stranger.lines[-1] == b"QUIT"
    assert (user.environment[b"RELAYCLIENT"], user.environment[b"SMTPAUTHUSER"]) == (b"", b"joe")


def test_who_relays_by_address_is_asked_no_less(gate: Gate, backend: Scripted) -> None:
    """A rule's RELAYCLIENT stays, and the user stands beside it."""
    said = gate.converse([b"EHLO c", plain(), MAIL, FOREIGN], source=RELAY)

    assert [line[:4] for line in said[1:]] == [b"235 ", b"250 ", b"250 "]
    assert backend.last().environment[b"SMTPAUTHUSER"] == b"joe"


def test_a_screen_has_nothing_to_say_of_a_user(backend: Scripted, saslauthd: Saslauthd, tmp_path: Path) -> None:
    """Who roams is on lists of dial-up networks; a stranger from there is refused, and logged as by the screen."""
    parameters = (*ENABLED, "smtpd_sasl_type=saslauthd", f"smtpd_sasl_path={saslauthd.path}")
    rules = '127.0.0.1:allow,TCPREMOTEIP="192.0.2.7",RBLSMTPD="-listed"\n'
    with gated(backend.argv, tmp_path, parameters=parameters, rules=rules) as gate:
        assert gate.converse([b"EHLO c", MAIL, RCPT])[-1] == b"553 listed"
        mark = gate.mark()
        said = gate.converse([b"EHLO c", plain(), MAIL, RCPT, FOREIGN, b"RSET", b"QUIT"])

        assert [line[:4] for line in said[1:]] == [b"235 ", b"250 ", b"250 ", b"250 ", b"250 ", b"221 "]
        assert b"listed" not in gate.since(mark)
        assert b"RBLSMTPD" not in backend.last().environment


def test_by_default_nothing_is_offered_in_the_clear(backend: Scripted, saslauthd: Saslauthd, tmp_path: Path) -> None:
    """And no password is taken that nobody has asked for."""
    parameters = ("smtpd_sasl_auth_enable=yes", "smtpd_sasl_type=saslauthd", f"smtpd_sasl_path={saslauthd.path}")
    with gated(backend.argv, tmp_path, parameters=parameters) as gate:
        said = gate.converse([b"EHLO c", plain(JOE, "cl3ar-w0rd"), MAIL, FOREIGN])

        assert b"AUTH" not in said[0]
        assert said[1] == b"504 5.5.4 Encryption required for requested authentication mechanism"
        assert said[-1] == DENIED
        assert b"cl3ar-w0rd" not in gate.log()


def test_dovecot_tells(backend: Scripted, tmp_path: Path) -> None:
    """By its socket in queue_directory; it spells the user its own way."""
    with Dovecot({JOE: PASSWORD}) as dovecot:
        path = Path(dovecot.path)
        parameters = (
            *ENABLED,
            "smtpd_sasl_type=dovecot",
            f"queue_directory={path.parent}",
            f"smtpd_sasl_path={path.name}",
        )
        with gated(backend.argv, tmp_path, parameters=parameters) as gate, smtp(gate) as client:
            assert client.esmtp_features["auth"].split() == ["LOGIN", "PLAIN"]
            client.login("JOE", PASSWORD)
            assert client.mail("s@example.net")[0] == 250
            assert client.rcpt("far@elsewhere.example")[0] == 250
            assert backend.last().environment[b"SMTPAUTHUSER"] == b"joe"


#: What the guide has: SASL of Cyrus, whose words stand in a file of their own.
SMTPD_CONF = "log_level: 3\npwcheck_method: saslauthd\nmech_list: plain login\nsaslauthd_path: {path}\n"
MAIN_CF = """\
myhostname = mx.example.org
mydestination = example.org
mynetworks = 127.0.0.9/32
smtpd_sasl_auth_enable = yes
smtpd_sasl_security_options = noanonymous
broken_sasl_auth_clients = yes
cyrus_sasl_config_path = {folder}
smtpd_recipient_restrictions = permit_mynetworks, permit_sasl_authenticated,
    reject_unauth_destination
"""


def test_the_situation_of_the_postfix_guide(backend: Scripted, saslauthd: Saslauthd, tmp_path: Path) -> None:
    """S1 by its own files: both AUTH lines of EHLO, and a log with sasl_method and sasl_username."""
    sasl = tmp_path / "sasl2"
    sasl.mkdir()
    (sasl / "smtpd.conf").write_text(SMTPD_CONF.format(path=saslauthd.path))
    file = tmp_path / "main.cf"
    file.write_text(MAIN_CF.format(folder=sasl))
    with gated(backend.argv, tmp_path / "gate", file=file) as gate, gate.client() as client:
        said = client.converse([b"EHLO c", MAIL, FOREIGN, b"RSET", plain(), MAIL, FOREIGN])

        assert b"250-AUTH LOGIN PLAIN" in said[0]
        assert b"AUTH=LOGIN PLAIN" in said[0]
        assert said[2] == DENIED
        assert (said[4], said[6][:4]) == (IN, b"250 ")
        assert LOGGED_IN % b"PLAIN" in gate.log()
        assert b"sasl_username=<joe>" not in gate.log()
        assert client.ask(b"RSET")[:4] == b"250 "


def test_recipients_of_a_user_in_an_hour(backend: Scripted, saslauthd: Saslauthd, tmp_path: Path) -> None:
    """From whatever session; another user, and a stranger's mail for us, are not counted."""
    parameters = (
        *ENABLED,
        "smtpd_sasl_type=saslauthd",
        f"smtpd_sasl_path={saslauthd.path}",
        "smtpd_sasl_recipient_hourly_limit=2",
    )
    with gated(backend.argv, tmp_path, parameters=parameters, options=("-w", "2")) as gate:
        said = [gate.converse([b"EHLO c", plain(), MAIL, FOREIGN])[-1] for _ in range(3)]

        assert [line[:4] for line in said] == [b"250 ", b"250 ", b"450 "]
        assert said[-1] == b"450 4.7.1 Error: too many recipients from joe"
        assert b"warning: Hourly recipient limit exceeded: 3 from unknown[192.0.2.7], sasl_username=joe\n" in gate.log()
        assert gate.converse([b"EHLO c", MAIL, RCPT])[-1][:4] == b"250 "
