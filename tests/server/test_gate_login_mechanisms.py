"""Every mechanism, within TLS and with checkpassword programs that the guard runs, by smtplib and swaks."""

import shlex
import smtplib
import ssl
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.backends.known import Scripted, program
from tests.support.certificates import Authority
from tests.support.gate import Gate, controls, gate_words, gated
from tests.support.programs import ours, theirs
from tests.support.server import QUIET

JOE, PASSWORD = "joe", "s3cret"
NAME = "mx.example.org"
MECHANISMS = ("CRAM-MD5", "LOGIN", "PLAIN")
ENABLED = (
    "smtpd_sasl_auth_enable=yes",
    "smtpd_sasl_type=checkpassword",
    "smtpd_sasl_mechanism_filter=cram-md5 login plain",
)


@contextmanager
def checked(
    backend: Scripted, folder: Path, checker: str, *parameters: str, options: Sequence[str] = ()
) -> Iterator[Gate]:
    """A gate that asks one of the field's programs."""
    users = folder / "users"
    users.write_text(f"{JOE}:{PASSWORD}\n")
    script = folder / "checker"
    script.write_text(f'#!/bin/sh\nexec {shlex.join(program("password_checkers", checker, users))} "$@"\n')
    script.chmod(0o755)
    words = f"{script} {theirs('true')}"
    asked = (*ENABLED, f"smtpd_sasl_path={words}", *parameters)
    with gated(backend.argv, folder / "gate", parameters=asked, options=options) as gate:
        yield gate


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """Whom the clients trust."""
    return Authority(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="module")
def gate(backend: Scripted, authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gate]:
    """A gate within TLS, with cmd5checkpw."""
    pair = authority.pair(NAME, "127.0.0.1")
    options = ("--tls", f"{pair.certificate}:{pair.key}")
    with checked(backend, tmp_path_factory.mktemp("gate"), "cmd5checkpw", options=options) as running:
        yield running


@pytest.fixture(scope="module")
def starttls(backend: Scripted, authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gate]:
    """A gate that offers STARTTLS, with cmd5checkpw."""
    pair = authority.pair(NAME, "127.0.0.1")
    keys = (f"smtpd_tls_cert_file={pair.certificate}", f"smtpd_tls_key_file={pair.key}")
    asked = ("smtpd_tls_security_level=may", *keys)
    with checked(backend, tmp_path_factory.mktemp("starttls"), "cmd5checkpw", *asked) as running:
        yield running


@pytest.mark.parametrize("mechanism", MECHANISMS)
def test_smtplib_logs_in_behind_starttls(
    starttls: Gate, backend: Scripted, authority: Authority, mechanism: str
) -> None:
    """Before it nothing is offered, and no password is taken."""
    context = ssl.create_default_context(cafile=authority.ca_file)
    with smtplib.SMTP("127.0.0.1", starttls.port) as client:
        client.ehlo("client.example.net")
        assert "auth" not in client.esmtp_features
        assert client.docmd("AUTH", mechanism)[0] == 504
        client.starttls(context=context)
        client.ehlo("client.example.net")
        logged_in(client, mechanism)
        assert client.rcpt("far@elsewhere.example")[0] == 250
        assert client.docmd("STARTTLS")[0] == 554
    told = backend.last().environment
    assert (told[b"SMTPAUTHMETHOD"], told[b"RELAYCLIENT"]) == (mechanism.lower().encode(), b"")


def logged_in(client: smtplib.SMTP, mechanism: str) -> None:
    """Log in, and begin a message."""
    assert client.esmtp_features["auth"].split() == list(MECHANISMS)
    client.user, client.password = JOE, PASSWORD
    respond = getattr(client, "auth_" + mechanism.lower().replace("-", "_"))
    assert client.auth(mechanism, respond)[0] == 235
    assert client.mail("s@example.net")[0] == 250


@pytest.mark.parametrize("mechanism", MECHANISMS)
def test_smtplib_logs_in_within_tls(gate: Gate, backend: Scripted, authority: Authority, mechanism: str) -> None:
    """By default it is offered nowhere else; the program is told the mechanism."""
    context = ssl.create_default_context(cafile=authority.ca_file)
    with smtplib.SMTP_SSL("127.0.0.1", gate.port, context=context) as client:
        client.ehlo("client.example.net")
        logged_in(client, mechanism)
        assert client.rcpt("far@elsewhere.example")[0] == 250
        assert client.docmd("RSET")[0] == 250
    told = backend.last().environment
    assert (told[b"SMTPAUTHMETHOD"], told[b"RELAYCLIENT"]) == (mechanism.lower().encode(), b"")
    assert told[b"SSL_PROTOCOL"] == b"TLSv1.3"


def swaks(gate: Gate, mechanism: str, *options: str) -> str:
    """Send a message to elsewhere; what swaks says."""
    server = ("--server", f"127.0.0.1:{gate.port}", *options)
    login = ("--auth", mechanism, "--auth-user", JOE, "--auth-password", PASSWORD)
    words = (theirs("swaks"), *server, *login, "--from", "s@example.net", "--to", "far@elsewhere.example")
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=30)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("mechanism", MECHANISMS)
@pytest.mark.parametrize("tls", ["STARTTLS", "from the first byte"])
def test_swaks_logs_in_within_tls(gate: Gate, starttls: Gate, mechanism: str, tls: str) -> None:
    """By each mechanism; the message goes through."""
    chosen, option = (starttls, "-tls") if tls == "STARTTLS" else (gate, "-tlsc")
    mark = chosen.mark()
    known = subprocess.run((theirs("swaks"), "--support"), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=True)
    if b"requires Net::SSLeay" in known.stdout:
        pytest.skip("swaks speaks TLS by Net::SSLeay (libnet-ssleay-perl)")

    assert "TLS started with cipher TLSv1.3" in swaks(chosen, mechanism, option)
    assert b" sasl_method=%b sasl_username=joe\n" % mechanism.encode() in chosen.since(mark)


@pytest.mark.parametrize("mechanism", MECHANISMS)
def test_vchkpw_tells(backend: Scripted, tmp_path: Path, mechanism: str) -> None:
    """In the clear, where somebody says so."""
    with checked(backend, tmp_path, "vchkpw", "smtpd_tls_auth_only=no") as gate:
        swaks(gate, mechanism)

        assert b"sasl_method=%b, sasl_username=joe\n" % mechanism.encode() in gate.log()


def test_a_checker_that_always_says_yes_keeps_the_server_from_starting(backend: Scripted, tmp_path: Path) -> None:
    """Whoever writes the words of the patch in the wrong order has no open relay."""
    words = gate_words(controls(tmp_path), (*ENABLED, f"smtpd_sasl_path={theirs('true')} {theirs('true')}"))
    server = (ours("pytcpserver"), *QUIET, "127.0.0.1", "0", *words, *backend.argv)
    done = subprocess.run(server, capture_output=True, text=True, check=False, timeout=30)

    assert done.returncode == 100
    assert "checks no passwords" in done.stderr


def test_cram_md5_is_offered_only_by_its_name(backend: Scripted, tmp_path: Path) -> None:
    """Who checks it has every password as it is."""
    parameters = ("smtpd_tls_auth_only=no", "smtpd_sasl_mechanism_filter=!external, static:rest")
    with checked(backend, tmp_path, "vchkpw", *parameters) as gate:
        said = gate.converse([b"EHLO c", b"AUTH CRAM-MD5"])

        assert b"AUTH LOGIN PLAIN" in said[0]
        assert b"CRAM-MD5" not in said[0]
        assert said[1].startswith(b"504 5.5.4 ")
