"""examples/relay: the recorder and POP3 as services, as they stand but for their places; and Courier's hook."""

import os
import shlex
import socket
import stat
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support import pop3
from tests.support.backends.known import program
from tests.support.checkout import ROOT
from tests.support.field import FieldHost, field_host
from tests.support.ports import free_port
from tests.support.programs import need_root, ours, theirs
from tests.support.recorder import USER, Recorder, grants
from tests.support.waiting import PATIENCE, until

EXAMPLE = ROOT / "examples/relay"
CLIENT = "127.0.0.7"


class RelayHost:
    """A host of the field with both services. port: of POP3. store: of its grants."""

    def __init__(self, host: FieldHost) -> None:
        self.folder = host.folder
        self.port = free_port()
        self.store = f"{host.folder}/lib/db"
        self._host = host
        self._programs = host.folder / "bin"
        self._programs.mkdir()
        (host.folder / "lib").mkdir()
        os.chown(host.folder / "lib", 65534, 65534)
        self._program("pyrelay", pop3.python_for_all())
        self._program("qmail-popup", program("qmail_popup"))
        self._program("checkpassword", (*program("one_user"), pop3.NAME, pop3.PASSWORD, str(USER)))
        self._program("qmail-pop3d", ("sh", "-c", pop3.READS_MAIL))

    def _program(self, name: str, command: Sequence[str]) -> None:
        file = self._programs / name
        file.write_text(f'#!/bin/sh\nexec {shlex.join(command)} "$@"\n')
        file.chmod(0o755)

    def run(self, name: str) -> "subprocess.Popen[bytes]":
        """Start one of the run scripts; its log is beside it."""
        text = (EXAMPLE / name).read_text()
        for theirs_, here in (
            ("PATH=", f"PATH={self._programs}:"),
            ("/run/relay", f"{self.folder}/run"),
            ("/var/lib/relay/db", self.store),
            ("-o relay", "-o nobody"),
            ("setuidgid relay", "setuidgid nobody"),
            (" 0 pop3 ", f" 127.0.0.1 {self.port} "),
            ("--trust dovecot", f"--trust dovecot --private --ports {self.port}"),
        ):
            text = text.replace(theirs_, here)
        script = self._script(name)
        script.write_text(self._host.translate(text))
        script.chmod(0o755)
        with script.with_suffix(".log").open("wb") as log:
            return subprocess.Popen([script], env=self._host.environment, stdin=subprocess.DEVNULL, stdout=log)

    def log(self, name: str) -> bytes:
        """What a run script has logged."""
        return self._script(name).with_suffix(".log").read_bytes()

    def _script(self, name: str) -> Path:
        return self.folder / f"{name.replace('/', '-')}.sh"


@pytest.fixture
def host() -> Iterator[RelayHost]:
    """One whose services run."""
    theirs("setuidgid")
    with field_host({}) as field, _services(RelayHost(field)) as running:
        yield running


@contextmanager
def _services(host: RelayHost) -> Iterator[RelayHost]:
    processes = [host.run("run"), host.run("pop3d/run")]
    try:
        until(lambda: Path(f"{host.folder}/run/socket").is_socket() and _greets(host.port), "the services")
        yield host
    finally:
        for process in processes:
            process.terminate()
            process.wait(PATIENCE)


def _greets(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), PATIENCE) as client:
            return client.recv(3) == b"+OK"
    except OSError:
        return False


def test_who_logs_in_by_pop3_gets_a_grant(host: RelayHost) -> None:
    """Recorder and mailbox have users of their own, and meet at the socket."""
    with socket.create_connection(("127.0.0.1", host.port), PATIENCE, (CLIENT, 0)) as client:
        said = pop3.session(client, pop3.PASSWORD)

    assert said[-1] == b"+OK bye", host.log("pop3d/run")
    assert stat.S_IMODE(os.stat(host.store).st_mode) == 0o640
    (grant,) = grants(host.store, CLIENT)
    assert (grant.user, grant.by.partition(b"@")[0]) == (b"joe", b"%d" % USER)
    line = f"relay: granted {CLIENT} to joe by pop3 for 900 seconds, says uid {USER}\n"
    until(lambda: line.encode() in host.log("run"), f"{line} in {host.log('run')!r}")


def test_the_hook_of_courier() -> None:
    """It has $AUTHENTICATED, and ::ffff: before IPv4; its server goes on with the words that it was given."""
    need_root()  # whose word is believed
    with Recorder("--private") as recorder:
        hook = (EXAMPLE / "courier").read_text()
        hook = hook.replace("/run/relay/socket", recorder.socket).replace(
            "PATH=", f"PATH={os.path.dirname(ours('pyrelay'))}:"
        )
        done = subprocess.run(
            ["sh", "-c", hook, "courier", "echo", "imapd", "Maildir"],
            env={"AUTHENTICATED": "joe@example.org", "USER": "vmail", "TCPREMOTEIP": f"::ffff:{CLIENT}"},
            capture_output=True,
            check=True,
        )

        assert (done.stdout, done.stderr) == (b"imapd Maildir\n", b"")
        assert [grant.user for grant in grants(recorder.store, CLIENT)] == [b"joe@example.org"]
