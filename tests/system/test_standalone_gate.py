"""The gate in a process of its own, its client at a socket on 0 and 1, and real backends."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.support.gate import controls, gate_words, without_ids
from tests.support.gate_room import BANNER, MAIL, OBLIGING, RCPT, SHELL, connected_over_tcp
from tests.support.programs import ours
from tests.support.smtp_client import Client
from tests.support.waiting import PATIENCE, until
from ucspi_py.system.backend.spawn import Launcher, SpawnAttributes
from ucspi_py.system.process.loop import new_loop
from ucspi_py.system.report.log import ERRORS, Log
from ucspi_py.system.standalone import gate

TO_RCPT = (b"HELO c.example", MAIL, RCPT)
FIELDS = b"from=<s@example.net> to=<r@example.org> proto=SMTP helo=<c.example>\n"


class Alone(NamedTuple):
    """A running gate. client: has read nothing yet."""

    client: Client
    process: subprocess.Popen[bytes]

    def end(self) -> bytes:
        """Wait for its end; its log, without ids."""
        log = self.process.communicate(timeout=PATIENCE)[1]
        assert self.process.returncode == 0
        return without_ids(log)


@contextmanager
def alone(
    folder: Path,
    script: str = OBLIGING,
    *before: str,
    program: Sequence[str] = (),
    parameters: Sequence[str] = (),
    **environment: str,
) -> Iterator[Alone]:
    """A gate before a shell script, or another program. before: words of a screen."""
    its, mine = connected_over_tcp()
    mine.settimeout(PATIENCE)
    variables = {"PATH": os.environ["PATH"], "OUT": str(folder / "out"), "TCPREMOTEIP": "192.0.2.7", **environment}
    words = [
        *before,
        *gate_words(controls(folder / "control"), parameters),
        *(program or ("/bin/sh", "-c", SHELL + script)),
    ]
    with mine, its:
        process = subprocess.Popen(
            words, stdin=its.fileno(), stdout=its.fileno(), stderr=subprocess.PIPE, env=variables
        )
        its.close()
        try:
            yield Alone(Client(mine), process)
        finally:
            process.kill()
            process.communicate()


def test_a_message_goes_through_and_the_backend_is_outlived(tmp_path: Path) -> None:
    """Whoever counts us counts its work."""
    with alone(tmp_path, OBLIGING.replace("exit;;", 'held; echo done >>"$OUT"; exit;;')) as running:
        assert running.client.reply() == BANNER
        assert [running.client.ask(command) for command in (*TO_RCPT, b"DATA")][2:] == [b"250 ok", b"354 go"]
        assert running.client.ask(b"text\r\n.") == b"250 queued"
        (tmp_path / "out.held").touch()
        assert running.client.ask(b"QUIT") == b"221 2.0.0 Bye"
        assert running.client.rest() == []
        until(lambda: b"QUIT" in (tmp_path / "out").read_bytes())
        assert running.process.poll() is None
        (tmp_path / "out.held").unlink()
        log = running.end()

    heard = (tmp_path / "out").read_bytes().replace(b"\r", b"").splitlines()
    assert heard == [*TO_RCPT, b"DATA", b"text", b".", b"QUIT", b"done"]
    assert log.startswith(b"smtpgate: message from unknown[192.0.2.7]: 250 queued; ")
    assert log.count(b"\n") == 1


#: What no client waits for has no end, so who waits for that waits for ever.
_PATIENT = """
import sys
from ucspi_py.cli import start
from ucspi_py.system.store import attempts

attempts._FOR_NOBODY = 3600.0
start.main(sys.argv[1:])
"""


def test_a_store_that_hangs_keeps_no_banner(tmp_path: Path) -> None:
    """It is opened while the client is spoken with, who may never come to need it."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        store = f"redis://127.0.0.1:{silent.getsockname()[1]}/0?socket_timeout=3600"
        lists = f"smtpd_recipient_restrictions=reject_unauth_destination, check_greylist {store}"
        with alone(tmp_path, OBLIGING, sys.executable, "-c", _PATIENT, parameters=(lists,)) as running:
            assert running.client.reply() == BANNER
            assert running.client.ask(TO_RCPT[0]).startswith(b"250 ")
            assert running.client.ask(b"QUIT") == b"221 2.0.0 Bye"
            assert b"warning" not in running.end()


@pytest.mark.parametrize("by_screen", [False, True])
def test_a_verdict_is_spoken_at_the_recipient(by_screen: bool, tmp_path: Path) -> None:
    """That of $RBLSMTPD, by the gate or by the screen before it; no backend is started."""
    screen = (ours("pyrblsmtpd"), "-r", "zone.example") if by_screen else ()
    with alone(tmp_path, "exit 1", *screen, RBLSMTPD="-listed") as running:
        assert running.client.reply() == BANNER
        assert [running.client.ask(command) for command in TO_RCPT][2] == b"553 listed"
        running.client.ask(b"QUIT")
        log = running.end()

    assert log == b"".join(
        (
            b"rblsmtpd: 192.0.2.7 pid %d: 553 listed; %b" % (running.process.pid, FIELDS),
            b"smtpgate: NOQUEUE: reject: RCPT from unknown[192.0.2.7]: 553 listed; " + FIELDS,
            b"smtpgate: disconnect from unknown[192.0.2.7] helo=1 mail=1 rcpt=0/1 quit=1 commands=3/4\n",
        )
    )


def test_a_program_that_cannot_be_run_is_told_of(tmp_path: Path) -> None:
    """Its client is left at the third attempt."""
    with alone(tmp_path, program=("/nonexistent",)) as running:
        running.client.reply()
        replies = [running.client.ask(command)[:3] for command in (*TO_RCPT, RCPT, RCPT)]
        assert replies[2:] == [b"451", b"451", b"421"]
        log = running.end()

    assert log.count(b"smtpgate: warning: unable to run /nonexistent: file does not exist\n") == 3


def test_how_a_backend_has_ended_is_told(tmp_path: Path) -> None:
    """It is reaped, and not only missed."""
    with alone(tmp_path, "s '220 here'; h; kill -9 $$") as running:
        running.client.reply()
        assert [running.client.ask(command) for command in TO_RCPT][2].startswith(b"451 4.3.0 ")
        running.client.ask(b"QUIT")
        log = running.end()

    assert b"smtpgate: warning: the backend ended when a reply to HELO was due (signal 9)\n" in log


def test_a_gate_that_is_ended_has_sent_no_message(tmp_path: Path) -> None:
    """Its backend reads the end before a dot."""
    with alone(tmp_path, OBLIGING.replace("until_dot;", '(until_dot); echo $? >>"$OUT"; exit;')) as running:
        running.client.reply()
        assert [running.client.ask(command) for command in (*TO_RCPT, b"DATA")][3] == b"354 go"
        running.client.say(b"half\r\n")
        until(lambda: (tmp_path / "out").exists() and b"half" in (tmp_path / "out").read_bytes())
        running.process.terminate()
        assert running.process.wait(PATIENCE) == -signal.SIGTERM

    assert until(lambda: (tmp_path / "out").read_bytes().splitlines()[-1:] == [b"54"])


def test_a_backend_that_does_not_end_is_not_waited_for_without_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A few seconds."""
    monkeypatch.setattr(gate, "_LAST_WORDS", 0.01)
    (tmp_path / "held").touch()
    launcher = Launcher(
        ("sh", "-c", f"while [ -e {tmp_path}/held ]; do sleep 0.01; done"), SpawnAttributes((), None, (), ())
    )
    backends = gate.Backends(launcher, Log(ERRORS))
    statuses: list[int] = []

    async def story() -> None:
        ours_end, its_end = socket.socketpair()
        with ours_end, its_end:
            assert await backends.start({b"PATH": os.environb[b"PATH"]}, its_end.fileno(), statuses.append)
        await backends.end()
        assert statuses == []
        (tmp_path / "held").unlink()
        asyncio.get_running_loop().add_signal_handler(signal.SIGCHLD, backends.reap)
        monkeypatch.setattr(gate, "_LAST_WORDS", PATIENCE)
        await backends.end()
        assert statuses == [0]
        asyncio.get_running_loop().remove_signal_handler(signal.SIGCHLD)

    with closing(new_loop()) as loop:
        loop.run_until_complete(story())
