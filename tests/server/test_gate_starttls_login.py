"""Logins behind STARTTLS at a served gate, as people's clients do it: never in the clear, and whoever is in relays."""

import smtplib
import ssl
import subprocess
import threading
from base64 import b64encode
from collections.abc import Iterator

import pytest

from tests.support.backends.known import Scripted
from tests.support.certificates import Authority
from tests.support.gate import MAIL, Gate, gated
from tests.support.programs import theirs
from tests.support.saslauthd import Saslauthd
from tests.support.waiting import PATIENCE

NAME, JOE, PASSWORD = "mx.example.org", "joe", "s3cret"
SENDER, FAR = "s@example.net", "far@elsewhere.example"
PLAIN = b64encode(f"\0{JOE}\0{PASSWORD}".encode())


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """Whose certificates clients trust."""
    return Authority(tmp_path_factory.mktemp("ca"))


@pytest.fixture(scope="module")
def gate(backend: Scripted, authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gate]:
    """One with keys and with saslauthd, and nothing said of passwords in the clear."""
    pair = authority.pair(NAME)
    with Saslauthd({JOE: PASSWORD}) as saslauthd:
        parameters = (
            *("smtpd_tls_security_level=may", f"smtpd_tls_cert_file={pair.certificate}"),
            *(f"smtpd_tls_key_file={pair.key}", "smtpd_sasl_auth_enable=yes"),
            *("smtpd_sasl_type=saslauthd", f"smtpd_sasl_path={saslauthd.path}"),
        )
        with gated(backend.argv, tmp_path_factory.mktemp("gate"), parameters=parameters) as running:
            yield running


@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN"])
def test_smtplib_logs_in_behind_starttls(gate: Gate, backend: Scripted, authority: Authority, mechanism: str) -> None:
    """It is offered there alone; an untouched program relays for it."""
    context = ssl.create_default_context(cafile=authority.ca_file)
    context.check_hostname = False
    with smtplib.SMTP("127.0.0.1", gate.port, local_hostname="c.example", timeout=PATIENCE) as client:
        client.ehlo()
        assert not client.has_extn("AUTH")
        client.starttls(context=context)
        client.ehlo()
        assert sorted(client.esmtp_features["auth"].split()) == ["LOGIN", "PLAIN"]
        client.user, client.password = JOE, PASSWORD
        assert client.auth(mechanism, client.auth_plain if mechanism == "PLAIN" else client.auth_login)[0] == 235
        assert client.mail(SENDER)[0] == 250
        assert client.rcpt(FAR)[0] == 250

    told = backend.last().environment
    assert told[b"RELAYCLIENT"] == b""
    assert told[b"SMTPAUTHUSER"] == JOE.encode()
    assert told[b"SSL_PROTOCOL"] == b"TLSv1.3"
    assert told[b"DISABLETLS"] == b"1"


def test_openssl_logs_in_behind_starttls(gate: Gate) -> None:
    """Typed, as an operator tries it."""
    command = (theirs("openssl"), "s_client", "-connect", f"127.0.0.1:{gate.port}", "-starttls", "smtp", "-quiet")
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, bufsize=0
    ) as client:
        assert client.stdin
        assert client.stdout
        patience = threading.Timer(PATIENCE, client.kill)
        patience.start()
        try:
            for said, reply in [
                (b"EHLO c.example", b"250-"),
                (b"AUTH PLAIN " + PLAIN, b"235 2.7.0 "),
                (MAIL, b"250 "),
                (b"RCPT TO:<%b>" % FAR.encode(), b"250 "),
                (b"QUIT", b"221 "),
            ]:
                client.stdin.write(said + b"\r\n")
                assert client.stdout.readline().startswith(reply)
                if reply == b"250-":
                    while client.stdout.readline()[3:4] == b"-":
                        pass
        finally:
            patience.cancel()
            client.kill()


def test_a_password_in_the_clear_is_not_asked_for_and_not_logged(gate: Gate) -> None:
    """It is refused unread, and whoever has said it anyhow finds it in no log."""
    mark = gate.mark()
    refusal = b"504 5.5.4 Encryption required for requested authentication mechanism"

    replies = gate.converse([b"EHLO c.example", b"AUTH PLAIN " + PLAIN, b"AUTH LOGIN", b"QUIT"])

    assert replies[1:3] == [refusal, refusal]
    assert PLAIN not in gate.since(mark)
    assert PASSWORD.encode() not in gate.since(mark)
    assert gate.since(mark).count(b"SASL PLAIN authentication not tried: TLS is required") == 1


def test_tls_forgets_who_has_logged_in(gate: Gate, authority: Authority) -> None:
    """Within it is no second one, and nobody is in twice."""
    context = ssl.create_default_context(cafile=authority.ca_file)
    context.check_hostname = False
    with smtplib.SMTP("127.0.0.1", gate.port, local_hostname="c.example", timeout=PATIENCE) as client:
        client.starttls(context=context)
        client.login(JOE, PASSWORD)
        assert client.docmd("AUTH", "PLAIN") == (503, b"5.5.1 Error: already authenticated")
        assert client.docmd("RSET")[0] == 250
        assert client.docmd("STARTTLS") == (554, b"5.5.1 Error: TLS already active")
        assert client.mail(SENDER)[0] == 250
        assert client.rcpt(FAR)[0] == 250
