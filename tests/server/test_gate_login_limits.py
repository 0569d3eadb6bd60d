"""Wrong passwords, counted over all workers of a service; and nobody locks a user out where it has logged in before."""

import signal
import sys
from base64 import b64encode
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.support.backends.known import Scripted
from tests.support.gate import Gate, gated
from tests.support.saslauthd import Saslauthd
from tests.support.server import children
from tests.support.waiting import until

HOME, AWAY = "127.0.0.1", "127.0.0.2"
RULES = '127.0.0.1:allow,TCPREMOTEIP="192.0.2.7"\n127.0.0.2:allow,TCPREMOTEIP="198.51.100.7"\n'
IN, LATER = b"235", b"454"
#: pytcpserver whose clients wait for a tenth of a second where they would wait for three, and so on.
HASTY = """#!{}
from ucspi_py.core.gate.logins import answers
delay = answers.delay
answers.delay = lambda failures: delay(failures) / 30
from ucspi_py.cli.tcpserver import main
main()
"""
SPENT = b"198.51.100.7]: SASL PLAIN authentication not tried: too many failures of this user, sasl_username=joe\n"


@pytest.fixture(scope="module")
def saslauthd() -> Iterator[Saslauthd]:
    """Debian's."""
    with Saslauthd({"joe": "s3cret", "ann": "s3cret"}) as daemon:
        yield daemon


@pytest.fixture
def gate(backend: Scripted, saslauthd: Saslauthd, tmp_path: Path) -> Iterator[Gate]:
    """A gate of two workers, to which nobody has come."""
    asked = ("smtpd_sasl_auth_enable=yes", "smtpd_tls_auth_only=no", "smtpd_sasl_type=saslauthd")
    parameters = (*asked, f"smtpd_sasl_path={saslauthd.path}")
    with gated(backend.argv, tmp_path, parameters=parameters, options=("-w", "2"), rules=RULES) as running:
        yield running


def plain(login: str, password: str) -> bytes:
    """AUTH PLAIN with its response."""
    return b"AUTH PLAIN " + b64encode(f"\0{login}\0{password}".encode())


def logs_in(gate: Gate, source: str, login: str = "joe") -> bytes:
    """The code that a right password gets."""
    return gate.converse([b"EHLO c", plain(login, "s3cret")], source=source)[-1][:3]


def guess(gate: Gate, source: str, login: str, times: int) -> None:
    """Try wrong passwords, all at once, and do not wait for an answer."""
    before = gate.log().count(b"authentication failed")
    with ExitStack() as stack:
        for number in range(times):
            client = stack.enter_context(gate.client(source))
            client.socket.sendall(plain(login, f"wrong{number}") + b"\r\n")
        until(lambda: gate.log().count(b"authentication failed") == before + times, "lines of all of them")


def test_nobody_locks_a_user_out(gate: Gate) -> None:
    """Others have spent the limit of the user: it is asked about where it is known, and nowhere else."""
    assert logs_in(gate, HOME) == IN
    guess(gate, AWAY, "joe", 5)

    assert [logs_in(gate, AWAY) for _ in range(4)] == [LATER] * 4
    assert SPENT in gate.log()
    assert [logs_in(gate, HOME) for _ in range(4)] == [IN] * 4
    assert logs_in(gate, AWAY, "ann") == IN


def test_new_workers_know_what_the_old_ones_did(gate: Gate) -> None:
    """SIGHUP forgets nothing."""
    assert logs_in(gate, HOME) == IN
    guess(gate, AWAY, "joe", 5)
    former = set(children(gate.process.pid))
    gate.process.send_signal(signal.SIGHUP)
    until(lambda: len(set(children(gate.process.pid)) - former) == 2, "two new workers")

    assert [logs_in(gate, AWAY) for _ in range(4)] == [LATER] * 4
    assert logs_in(gate, HOME) == IN


def test_a_network_that_guesses_is_heard_no_more(gate: Gate) -> None:
    """Whatever users it tries; another network is."""
    for user in ("a", "b"):
        guess(gate, AWAY, user, 5)

    assert logs_in(gate, AWAY, "ann") == LATER
    assert logs_in(gate, HOME, "ann") == IN


def test_the_third_wrong_password_of_a_session_is_the_last(
    backend: Scripted, saslauthd: Saslauthd, tmp_path: Path
) -> None:
    """It is refused as the others; behind it every command is. The log has address and user, once for each."""
    server = tmp_path / "pytcpserver"
    server.write_text(HASTY.format(sys.executable))
    server.chmod(0o755)
    asked = ("smtpd_sasl_auth_enable=yes", "smtpd_tls_auth_only=no", "smtpd_sasl_type=saslauthd")
    parameters = (*asked, f"smtpd_sasl_path={saslauthd.path}")
    with gated(backend.argv, tmp_path, parameters=parameters, rules=RULES, server=str(server)) as gate:
        with gate.client() as client:
            client.ask(b"EHLO c")
            client.socket.sendall((plain("joe", "wr0ng") + b"\r\n") * 3 + b"NOOP\r\nNOOP\r\n")
            said = client.rest()
        assert [line[:9] for line in said] == [b"535 5.7.8"] * 3 + [b"421 4.7.0"]
        failed = b"unknown[192.0.2.7]: SASL PLAIN authentication failed: authentication failure"
        assert gate.log().count(failed) == gate.log().count(b", sasl_username=joe\n") == 3
        assert b"wr0ng" not in gate.log()


def test_logins_of_a_client_in_a_minute(backend: Scripted, saslauthd: Saslauthd, tmp_path: Path) -> None:
    """smtpd_client_auth_rate_limit, right or wrong, over sessions and workers; whoever is not in mynetworks."""
    asked = ("smtpd_sasl_auth_enable=yes", "smtpd_tls_auth_only=no", "smtpd_sasl_type=saslauthd")
    parameters = (*asked, f"smtpd_sasl_path={saslauthd.path}", "smtpd_client_auth_rate_limit=2")
    with gated(backend.argv, tmp_path, parameters=parameters, rules=RULES, options=("-w", "2")) as gate:
        assert [logs_in(gate, HOME) for _ in range(4)] == [IN, IN, b"450", b"450"]
        assert logs_in(gate, AWAY) == IN
        line = b"warning: AUTH command rate limit exceeded: 3 from unknown[192.0.2.7] for service smtp\n"
        assert line in gate.log()
