"""Clients log in at a running gate, and a checkpassword program tells: by the guard, whatever ends meanwhile."""

import os
import signal
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.backends.known import Scripted
from tests.support.gate import MAIL, RCPT, Gate, gated
from tests.support.guards import Checker, is_alive
from tests.support.server import children
from tests.support.waiting import until

FOREIGN = b"RCPT TO:<far@elsewhere.example>"
EHLO = b"EHLO client.example.net"
IN = b"235 2.7.0 Authentication successful"
WRONG = b"535 5.7.8 Error: authentication failed: authentication failure"
LATER = b"454 4.7.0 Temporary authentication failure"


def login(name: str, word: str = "right") -> bytes:
    """AUTH PLAIN with its response. word: the password."""
    return b"AUTH PLAIN " + b64encode(f"\0{name}\0{word}".encode())


@pytest.fixture
def checker(tmp_path: Path) -> Checker:
    return Checker(tmp_path)


@pytest.fixture
def gate(backend: Scripted, checker: Checker, tmp_path: Path) -> Iterator[Gate]:
    """A gate that has it asked."""
    parameters = (
        "smtpd_sasl_auth_enable=yes",
        "smtpd_tls_auth_only=no",
        "smtpd_sasl_type=checkpassword",
        f"smtpd_sasl_path={' '.join(checker.argv)}",
    )
    with gated(backend.argv, tmp_path / "gate", parameters=parameters) as running:
        yield running


def the_guard(gate: Gate) -> int:
    """Its process id: the first child of the master."""
    return min(children(gate.process.pid))


def test_who_is_known_to_the_program_relays(gate: Gate, backend: Scripted, checker: Checker) -> None:
    """With a backend that knows nothing of it; the program is run once."""
    said = gate.converse([EHLO, login("bob"), MAIL, FOREIGN])
    assert (said[1], said[3][:4]) == (IN, b"250 ")
    assert backend.last().environment[b"TCPREMOTEINFO"] == b"bob"
    assert checker.asked == ["bob"]


def test_a_program_that_cannot_tell(gate: Gate, checker: Checker) -> None:
    """Come later, and what came behind it is answered behind it; more than 512 bytes are wrong, and it does not run."""
    said = gate.converse([EHLO, login("exit111"), b"NOOP", login("x" * 255, "y" * 255)])

    assert said[1].startswith(LATER)
    assert said[2:] == [b"250 2.0.0 Ok", WRONG]
    assert checker.asked == ["exit111"]
    assert b"the checkpassword program exits 111 (client 192.0.2.7, user exit111)" in gate.log()


def test_without_its_guard_a_gate_offers_no_login(gate: Gate) -> None:
    """All else goes on; a client to whom it was offered before is told to come later."""
    with gate.client() as before:
        assert b"AUTH" in before.ask(EHLO)
        os.kill(the_guard(gate), signal.SIGKILL)
        gate.wait_log(b"no password is checked by checkpassword")

        assert before.ask(login("bob")).startswith(LATER)
    said = gate.converse([EHLO, MAIL, RCPT])
    assert b"AUTH" not in said[0]
    assert said[2].startswith(b"250 ")


def test_a_worker_killed_during_a_check(gate: Gate, checker: Checker) -> None:
    """The program is reaped by the guard, and the next worker's clients are checked."""
    with gate.client() as client:
        client.socket.sendall(EHLO + b"\r\n")
        client.reply()
        client.socket.sendall(login("hang") + b"\r\n")
        until(lambda: len(checker.hanging) == 2, "the program to run")
        worker = max(children(gate.process.pid))
        os.kill(worker, signal.SIGKILL)
    gate.wait_log(b"worker %d ended with status 9" % worker)

    assert gate.converse([EHLO, login("bob")])[1] == IN
    os.killpg(checker.hanging[0], signal.SIGKILL)
    until(lambda: not Path(f"/proc/{checker.hanging[0]}").exists(), "it to be reaped")
    assert is_alive(the_guard(gate))


def test_a_password_is_nowhere_to_be_seen(gate: Gate, checker: Checker) -> None:
    """While it is checked: no command line and no environment of any process, no line of the log."""
    with gate.client() as client:
        client.ask(EHLO)
        client.socket.sendall(login("hang", "pa55word") + b"\r\n")
        until(lambda: len(checker.hanging) == 2, "the program to run")
        pids = [gate.process.pid, *children(gate.process.pid), *checker.hanging]
        for pid in pids:
            for file in ("cmdline", "environ"):
                assert b"pa55word" not in Path(f"/proc/{pid}/{file}").read_bytes()
        os.killpg(checker.hanging[0], signal.SIGKILL)
        assert client.reply().startswith(LATER)
    assert b"pa55word" not in gate.log()
    assert b64encode(b"\0hang\0pa55word") not in gate.log()
