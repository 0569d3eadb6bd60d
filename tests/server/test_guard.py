"""A service with a guard: what keeps it from starting, and what it does without its guard."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.support.certificates import Authority
from tests.support.gate import controls, gate_words
from tests.support.guards import Checker, is_alive, let_in
from tests.support.programs import need_root, theirs
from tests.support.server import QUIET, Server, children
from tests.support.waiting import until

#: pytcpserver with a guard: what it is told of that stands in front of its own words.
SCRIPT = """
import dataclasses, json, sys
from ucspi_py.core.guard.settings import GuardSettings
from ucspi_py.core.tls.settings import Pair
from ucspi_py.system.service import start
asked = json.loads(sys.argv.pop(1))
guard = GuardSettings(tuple(asked["checkpassword"]), pairs=tuple(Pair(*pair) for pair in asked["pairs"]))
run = start.run
start.run = lambda settings, limits: run(dataclasses.replace(settings, guard=guard), limits)
sys.argv[:1] = []
"""
MAIN = "from ucspi_py.cli.tcpserver import main; main()"
USER = 54321
#: Whatever is started by a user who is not root.
SAME_USER = (theirs("setpriv"), f"--reuid={USER}", f"--regid={USER}", "--clear-groups")


def command(checkpassword: Sequence[str] = (), pairs: Sequence[tuple[str, str]] = ()) -> tuple[str, ...]:
    """What stands before ``pytcpserver``."""
    return sys.executable, "-c", SCRIPT + MAIN, json.dumps({"checkpassword": checkpassword, "pairs": pairs})


def server(checker: Checker, folder: Path, *options: str) -> Server:
    """One with a guard whose clients get a line."""
    backend = ("sh", "-c", "echo hello; cat")
    return Server("pytcpserver", (*options, *QUIET), backend, folder, before=command(checker.argv))


def refused(words: Sequence[str]) -> tuple[int, str]:
    """The exit code and the fatal line of a server that does not start."""
    done = subprocess.run(
        [*words, "pytcpserver", *QUIET, "127.0.0.1", "0", "true"], check=False, stderr=subprocess.PIPE
    )
    return done.returncode, next(line for line in done.stderr.decode().splitlines() if ": fatal: " in line)


@pytest.fixture
def checker(tmp_path: Path) -> Checker:
    return Checker(tmp_path)


def the_guard(running: Server) -> int:
    """The process id of the guard of a server, the first of its children."""
    until(lambda: len(children(running.process.pid)) >= 2, "guard and worker")
    return min(children(running.process.pid))


def test_a_checker_that_knows_everybody_keeps_the_server_from_starting(tmp_path: Path) -> None:
    """``true`` by its name, a copy of it by what it says; the operator is told what would have happened."""
    everybody = tmp_path / "checkpassword"
    everybody.symlink_to("/bin/true")

    assert refused(command(["/bin/true"])) == (
        100,
        "tcpserver: fatal: /bin/true checks no passwords: is the checkpassword program missing before it?",
    )
    assert refused(command([str(everybody), "/bin/true"])) == (
        100,
        f"tcpserver: fatal: {everybody} takes any password for right: everybody could relay",
    )


def test_what_cannot_be_run_or_read_keeps_the_server_from_starting(tmp_path: Path) -> None:
    """A checker that is not there, one that is none, a key that cannot be read."""
    pair = Authority(tmp_path).pair("mail.example.org")
    os.unlink(pair.key)

    assert refused(command(["/nowhere/checkpassword", "true"])) == (
        111,
        "tcpserver: fatal: unable to run /nowhere/checkpassword: file does not exist",
    )
    assert refused(command(["/bin/ls", "/nowhere"])) == (
        100,
        "tcpserver: fatal: /bin/ls checks no passwords: the checkpassword program was misused (exit 2)",
    )
    assert refused(command(pairs=[(pair.certificate, pair.key)])) == (
        111,
        f"tcpserver: fatal: unable to read {pair.key}: file does not exist",
    )


def test_the_guard_alone_keeps_root(checker: Checker, tmp_path: Path) -> None:
    """It has none of the server's descriptors; master and workers are the user's, and hidden from it."""
    need_root()
    with server(checker, tmp_path, "-u", str(USER), "-g", str(USER), "-w2") as running:
        guard = the_guard(running)
        assert running.talk() == b"hello\n"
        others = {running.process.pid, *children(running.process.pid)} - {guard}

        assert os.stat(f"/proc/{guard}/status").st_uid == 0
        assert until(lambda: len(os.listdir(f"/proc/{guard}/fd")) == 6, "it to close what it does not need")
        for pid in others:
            status = Path(f"/proc/{pid}/status").read_text()
            assert f"Uid:\t{USER}\t{USER}\t{USER}\t{USER}\n" in status
            assert os.stat(f"/proc/{pid}/mem").st_uid == 0, "its memory is not its user's"


def test_a_service_that_no_root_starts_is_hidden_as_well(checker: Checker, tmp_path: Path) -> None:
    """Guard, master and workers have one user, and none of them shows another its memory."""
    need_root()
    let_in(tmp_path)
    before = (*SAME_USER, *command(checker.argv))
    with Server("pytcpserver", ("-w1", *QUIET), ("echo", "hello"), tmp_path, before=before) as running:
        the_guard(running)
        assert running.talk() == b"hello\n"
        for pid in (running.process.pid, *children(running.process.pid)):
            assert f"Uid:\t{USER}\t" in Path(f"/proc/{pid}/status").read_text()
            assert os.stat(f"/proc/{pid}/mem").st_uid == 0, "its memory is not its user's"


@pytest.mark.parametrize("kept", ["keys", "keys of a gate", "passwords", "none"])
def test_who_has_secrets_is_hidden(tmp_path: Path, kept: str) -> None:
    """From others of the user that has started it; who has none is not, which shows that this tells something."""
    need_root()
    let_in(tmp_path)
    pair = Authority(tmp_path).pair("mail.example.org")
    os.chmod(pair.key, 0o644)
    keys = (f"smtpd_tls_cert_file={pair.certificate}", f"smtpd_tls_key_file={pair.key}", "smtpd_tls_security_level=may")
    sasl = ("smtpd_sasl_auth_enable=yes", "smtpd_sasl_type=saslauthd", f"smtpd_sasl_path={tmp_path}/mux")
    options = ("--tls", f"{pair.certificate}:{pair.key}") if kept == "keys" else ()
    parameters = {"keys of a gate": keys, "passwords": sasl}.get(kept, ())
    backend = (*gate_words(controls(tmp_path / "control"), parameters), "true")
    before = (*SAME_USER, sys.executable, "-c", "import sys; sys.argv[:1] = []; " + MAIN)
    with Server("pytcpserver", ("-w1", *options, *QUIET), backend, tmp_path, before=before) as running:
        until(lambda: children(running.process.pid), "a worker")
        for pid in (running.process.pid, *children(running.process.pid)):
            assert f"Uid:\t{USER}\t" in Path(f"/proc/{pid}/status").read_text()
            assert (os.stat(f"/proc/{pid}/mem").st_uid == 0) is (kept != "none")


def test_a_guard_that_is_killed_is_told_and_all_else_goes_on(checker: Checker, tmp_path: Path) -> None:
    """Nobody starts another, as nobody has root."""
    with server(checker, tmp_path, "-w1") as running:
        guard = the_guard(running)
        os.kill(guard, signal.SIGKILL)

        line = b"tcpserver: warning: guard %d ended with status 9, no password is checked by checkpassword" % guard
        running.wait_log(line)
        assert running.talk() == b"hello\n"
        running.process.send_signal(signal.SIGHUP)
        until(lambda: running.talk() == b"hello\n")
        assert running.log().count(b"guard") == 1


def test_a_new_worker_has_the_same_guard(checker: Checker, tmp_path: Path) -> None:
    """SIGHUP, and a worker's death, leave it alone."""
    with server(checker, tmp_path, "-w1") as running:
        guard = the_guard(running)
        worker = max(children(running.process.pid))
        os.kill(worker, signal.SIGKILL)
        until(lambda: max(children(running.process.pid)) > worker, "another worker")
        running.process.send_signal(signal.SIGHUP)

        assert running.talk() == b"hello\n"
        assert the_guard(running) == guard
        assert running.stop() == 0
        until(lambda: not is_alive(guard), "the guard to end behind the last worker")


def test_the_guard_stays_for_the_last_client_and_not_on_the_port(checker: Checker, tmp_path: Path) -> None:
    """SIGTERM to all processes at once, as from a terminal or a supervisor: another server can listen at once."""
    with server(checker, tmp_path, "-w1", "-p") as running, running.connect() as client:
        assert client.recv(6) == b"hello\n"
        guard = the_guard(running)
        os.kill(guard, signal.SIGTERM)
        assert running.stop() == 0
        with socket.create_server(("127.0.0.1", running.port)):
            pass
    until(lambda: not is_alive(guard), "its end")
