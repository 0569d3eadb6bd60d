"""What a supervisor is told: that all workers serve, that others follow, that each of them lives."""

import os
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.support.passing import Holder
from tests.support.programs import ours
from tests.support.server import QUIET, Server, children
from tests.support.waiting import PATIENCE, until

SERVER = ours("pytcpserver")


class Manager:
    """A socket for messages, as systemd has it."""

    def __init__(self, address: str) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(address.replace("@", "\0", 1))
        self._socket.settimeout(PATIENCE)
        self.environment = {**os.environ, "NOTIFY_SOCKET": address}
        self.close = self._socket.close

    def told(self) -> dict[str, str]:
        """The next message, by the names of its lines."""
        return dict(line.split("=", 1) for line in self._socket.recv(4096).decode().split("\n"))

    def waiting(self) -> list[bytes]:
        """All messages that have come."""
        messages = []
        self._socket.setblocking(False)
        try:
            while True:
                messages.append(self._socket.recv(4096))
        except BlockingIOError:
            return messages
        finally:
            self._socket.settimeout(PATIENCE)


@pytest.fixture(params=["path", "abstract"])
def manager(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Manager]:
    """A manager that reads what it is told."""
    address = str(tmp_path / "notify") if request.param == "path" else f"@ucspi-{os.getpid()}-{id(request)}"
    with closing(Manager(address)) as made:
        yield made


def test_systemd_hears_of_workers_that_serve_and_of_reloads(manager: Manager, tmp_path: Path) -> None:
    """READY comes when all of them do; never STOPPING, after which all programs would be killed."""
    with Server(SERVER, (*QUIET, "-w2"), ("env",), tmp_path, env=manager.environment) as server:
        assert manager.told() == {"READY": "1", "STATUS": "2 workers serve"}
        assert b"NOTIFY_SOCKET" not in server.talk()

        before = time.monotonic_ns() // 1000
        server.process.send_signal(signal.SIGHUP)
        told = manager.told()
        assert told.pop("STATUS") == "new workers follow"
        assert before <= int(told.pop("MONOTONIC_USEC")) <= time.monotonic_ns() // 1000
        assert told == {"RELOADING": "1"}
        assert manager.told()["READY"] == "1"

        server.stop()
        assert manager.waiting() == []


def test_a_watchdog_hears_of_workers_as_long_as_each_of_them_lives(tmp_path: Path) -> None:
    """One that hangs ends it, whatever the other one does; when it goes on, so do the signs of life."""
    with closing(Manager(str(tmp_path / "notify"))) as manager:
        env = {**manager.environment, "WATCHDOG_USEC": "200000"}
        with Server(SERVER, (*QUIET, "-w2"), ("env",), tmp_path, env=env) as server:
            assert manager.told()["READY"] == "1"
            assert manager.told() == {"WATCHDOG": "1"}
            assert manager.told() == {"WATCHDOG": "1"}
            assert b"WATCHDOG" not in server.talk()

            hanging = children(server.process.pid)[0]
            os.kill(hanging, signal.SIGSTOP)
            try:
                _silence(manager)
            finally:
                os.kill(hanging, signal.SIGCONT)
            assert manager.told() == {"WATCHDOG": "1"}


def _silence(manager: Manager) -> None:
    """Wait until nothing has come for five times as long as it would take; what was under way before is passed over."""
    last = time.monotonic()

    def is_silent() -> bool:
        nonlocal last
        if manager.waiting():
            last = time.monotonic()
        return time.monotonic() - last > 1

    until(is_silent, "the watchdog to hear nothing")


def test_a_watchdog_of_another_process_hears_nothing(tmp_path: Path) -> None:
    """WATCHDOG_PID tells whose it is."""
    with closing(Manager(str(tmp_path / "notify"))) as manager:
        env = {**manager.environment, "WATCHDOG_USEC": "1000", "WATCHDOG_PID": "1"}
        with Server(SERVER, (*QUIET, "-w1"), ("env",), tmp_path, env=env) as server:
            assert manager.told()["READY"] == "1"
            server.talk()
            assert manager.waiting() == []


def test_a_manager_that_is_gone_is_no_trouble(tmp_path: Path) -> None:
    """Clients are served, and the log is empty."""
    env = {**os.environ, "NOTIFY_SOCKET": str(tmp_path / "none")}
    with Server(SERVER, (*QUIET, "-w1"), ("echo", "served"), tmp_path, env=env) as server:
        assert server.talk() == b"served\n"
        assert server.log() == b""


@pytest.mark.parametrize("fd", [1, 5])
def test_a_descriptor_gets_a_line_once_all_serve(fd: int, tmp_path: Path) -> None:
    """It is closed then, as s6 wants it, and no program has it."""
    read, write = socket.socketpair()
    read.settimeout(PATIENCE)
    words = ["sh", "-c", f'exec {fd}>&9 9>&-; exec "$@"', "sh", SERVER, *QUIET, "--ready-fd", str(fd), "-", "-"]
    with Holder(tmp_path) as holder, read:
        holder.start([*words, "sh", "-c", "ls /proc/self/fd"], extra=write.fileno())
        write.close()
        assert read.recv(100) == b"\n"
        assert read.recv(100) == b""
        assert holder.talk().split() == [b"0", b"1", b"2", b"3"]


@pytest.mark.parametrize("fd", [4, 9])
def test_a_ready_descriptor_that_is_closed_stops_the_start(fd: int, tmp_path: Path) -> None:
    """Who waits for the line would wait for ever; nor is the first one that we open ourselves taken for it."""
    with Holder(tmp_path) as holder:
        process = holder.start([SERVER, *QUIET, "--ready-fd", str(fd), "-", "-", "true"])
        assert process.wait(PATIENCE) == 111
        assert b"unable to use descriptor %d: file descriptor not open" % fd in holder.log()
