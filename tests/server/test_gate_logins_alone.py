"""Logins at a gate under another server: each client has a process of its own, which asks by itself."""

import os
import resource
import signal
from base64 import b64encode
from pathlib import Path

import pytest

from tests.support.backends.known import Scripted
from tests.support.gate import MAIL, controls, gate_words, gated
from tests.support.programs import theirs
from tests.support.recorder import Clients
from tests.support.saslauthd import Saslauthd
from tests.support.smtp_client import Client
from tests.support.waiting import until

ENABLED = ("smtpd_sasl_auth_enable=yes", "smtpd_tls_auth_only=no")
FOREIGN = b"RCPT TO:<far@elsewhere.example>"
LOGIN = b"AUTH PLAIN " + b64encode(b"\0joe\0s3cret")


def test_alone_it_asks_a_socket(backend: Scripted, tmp_path: Path) -> None:
    """Of saslauthd or Dovecot."""
    with Saslauthd({"joe": "s3cret"}) as daemon:
        parameters = (*ENABLED, "smtpd_sasl_type=saslauthd", f"smtpd_sasl_path={daemon.path}")
        with gated(backend.argv, tmp_path, parameters=parameters, server=theirs("tcpserver")) as gate:
            said = gate.converse([b"EHLO c", LOGIN, MAIL, FOREIGN])

    assert [line[:4] for line in said[1:]] == [b"235 ", b"250 ", b"250 "]
    assert backend.last().environment[b"SMTPAUTHUSER"] == b"joe"


@pytest.mark.parametrize(
    ("parameters", "sentence"),
    [
        (("smtpd_sasl_type=checkpassword", "smtpd_sasl_path=checkpassword true"), b"needs pytcpserver"),
        (("smtpd_sasl_type=dovecot", "smtpd_sasl_recipient_hourly_limit=9"), b"counts over all clients"),
    ],
)
def test_alone_some_things_cannot_be(
    backend: Scripted, tmp_path: Path, parameters: tuple[str, ...], sentence: bytes
) -> None:
    """There is no guard, and nobody counts."""
    with gated(backend.argv, tmp_path, parameters=(*ENABLED, *parameters), server=theirs("tcpserver")) as gate:
        with gate.silent_client() as client:
            assert client.rest() == []
        until(lambda: sentence in gate.log(), "a line about it")


@pytest.mark.parametrize("takes_passwords", [True, False])
def test_alone_it_leaves_no_core_with_passwords(tmp_path: Path, takes_passwords: bool) -> None:
    """One that takes none leaves a core file as any program does, which shows that this tells something."""
    if resource.getrlimit(resource.RLIMIT_CORE)[1] == 0:
        pytest.skip("no process leaves a core file here")
    sasl = (*ENABLED, "smtpd_sasl_type=saslauthd", f"smtpd_sasl_path={tmp_path}/mux") if takes_passwords else ()
    words = (*gate_words(controls(tmp_path / "control"), sasl), "true")
    script = 'ulimit -c $(ulimit -H -c); cd "$0" && exec "$@"'
    with Clients() as clients:
        came = clients.come()
        pid = os.posix_spawnp(
            "sh",
            ["sh", "-c", script, str(tmp_path), *words],
            {**os.environ, "PROTO": "TCP", "TCPREMOTEIP": "192.0.2.7"},
            file_actions=[(os.POSIX_SPAWN_DUP2, came.ours.fileno(), number) for number in (0, 1)],
        )
        client = Client(came.theirs)
        assert client.reply().startswith(b"220 ")
        assert (b"AUTH LOGIN PLAIN" in client.ask(b"EHLO c")) is takes_passwords
        os.kill(pid, signal.SIGABRT)
        _, status = os.waitpid(pid, 0)
    for core in tmp_path.glob("core*"):
        core.unlink()

    assert os.WTERMSIG(status) == signal.SIGABRT
    assert os.WCOREDUMP(status) is not takes_passwords
