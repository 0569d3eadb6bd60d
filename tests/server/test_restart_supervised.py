"""A restart under each supervisor, with clients that come all the time: none is lost."""

import contextlib
import os
import signal
import socket
import subprocess
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.support.passing import Holder
from tests.support.ports import free_port
from tests.support.programs import ours, theirs
from tests.support.server import QUIET, children
from tests.support.visitors import Visitors
from tests.support.waiting import PATIENCE, until

SERVER = ours("pytcpserver")
SERVES = (*QUIET, "-w2")
ECHO = ("echo", "served")
#: Clients that are to be served before each restart and after it.
MANY = 30


class Supervisor(NamedTuple):
    """Who keeps a service in a folder. program: that is run beside the folder. leave: commands that end it."""

    program: str
    leave: tuple[tuple[str, ...], ...]
    restart: tuple[str, ...]


SUPERVISORS = [
    Supervisor("supervise", (("svc", "-dx", "{}"),), ()),
    Supervisor("runsv", (("sv", "force-stop", "{}"), ("sv", "exit", "{}")), ("sv", "2", "{}")),
    Supervisor("s6-supervise", (("s6-svc", "-dx", "{}"),), ("s6-svc", "-2", "{}")),
]


def _run_script(folder: Path, words: Sequence[str]) -> None:
    folder.mkdir()
    script = folder / "run"
    script.write_text(f"#!/bin/sh\nexec {' '.join(words)} 2>>../log\n")
    script.chmod(0o755)


def _tell(words: Sequence[str], folder: Path) -> None:
    subprocess.run([theirs(words[0]), *(word.replace("{}", str(folder)) for word in words[1:])], check=False)


@contextlib.contextmanager
def _supervised(supervisor: Supervisor, folder: Path, words: Sequence[str]) -> Iterator[Callable[[], int]]:
    """A service under a supervisor; gives what tells its process id."""
    _run_script(folder, words)
    with subprocess.Popen(
        [theirs(supervisor.program), str(folder)], stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        try:
            yield lambda: until(lambda: children(process.pid), "the service")[0]
        finally:
            for one in supervisor.leave:
                _tell(one, folder)
            process.wait(PATIENCE)


def _answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=PATIENCE).close()
    except ConnectionRefusedError:
        return False
    return True


@pytest.mark.parametrize("supervisor", SUPERVISORS, ids=lambda one: one.program)
def test_usr2_loses_nobody(supervisor: Supervisor, tmp_path: Path) -> None:
    """The supervisor keeps the process that it has started."""
    theirs(supervisor.program)
    port = free_port()
    log = tmp_path / "log"
    words = (SERVER, *SERVES, "127.0.0.1", str(port), *ECHO)
    with _supervised(supervisor, tmp_path / "service", words) as pid:
        until(lambda: _answers(port), "the service")
        with Visitors(port, b"served\n") as visitors:
            first = pid()
            before = set(children(first))
            visitors.wait(MANY)
            if supervisor.restart:
                _tell(supervisor.restart, tmp_path / "service")
            else:
                os.kill(first, signal.SIGUSR2)
            until(log.read_bytes, "the new program's word")
            until(lambda: not before & set(children(first)), "the old workers' end")
            visitors.wait(MANY)
        assert visitors.lost == []
        assert pid() == first
        assert log.read_bytes() == b"tcpserver: restart: the new program takes over\n"


def test_a_restart_of_a_socket_unit_loses_nobody(tmp_path: Path) -> None:
    """Each start gets the same socket, as systemd does it."""
    command = [SERVER, *SERVES, "-", "-", *ECHO]
    with Holder(tmp_path) as holder, Visitors(holder.port, b"served\n") as visitors:
        for _ in range(3):
            process = holder.start(command)
            visitors.wait(MANY)
            assert holder.stop(process) == 0
        holder.start(command)
        visitors.wait(MANY)
    assert visitors.lost == []


@contextlib.contextmanager
def _holder(folder: Path, held: socket.socket) -> Iterator[str]:
    """s6-fdholder with a socket in it, called unix:smtp."""
    path = str(folder / "fdholder")
    rules = folder / "rules"
    (rules / "uid/default/env").mkdir(parents=True)
    (rules / "uid/default/allow").touch()
    for name in ("S6_FDHOLDER_STORE_REGEX", "S6_FDHOLDER_RETRIEVE_REGEX"):
        (rules / "uid/default/env" / name).write_text(".*\n")
    with subprocess.Popen([theirs("s6-fdholder-daemon"), "-i", str(rules), path], stdin=subprocess.DEVNULL) as process:
        try:
            store = [theirs("s6-fdholder-store"), path, "unix:smtp"]
            fd = held.fileno()
            until(lambda: subprocess.run(store, stdin=fd, stderr=subprocess.DEVNULL, check=False).returncode == 0)
            yield path
        finally:
            process.terminate()


def test_a_restart_of_s6_with_a_holder_loses_nobody(tmp_path: Path) -> None:
    """The socket is fetched at each start; s6 hears when all serve."""
    supervisor = SUPERVISORS[2]
    theirs(supervisor.program)
    service = tmp_path / "service"
    with socket.create_server(("127.0.0.1", 0)) as held, _holder(tmp_path, held) as holder:
        port = held.getsockname()[1]
        held.close()  # only the holder has it now
        retrieve = [theirs("s6-fdholder-retrieve"), holder, "unix:smtp"]
        words = [*retrieve, SERVER, *SERVES, "--listen-fd", "0", "--ready-fd", "3", "-", "-", *ECHO]
        with Visitors(port, b"served\n") as visitors:
            service.mkdir()
            (service / "notification-fd").write_text("3\n")
            (service / "run").write_text(f"#!/bin/sh\nexec {' '.join(words)} 2>>../log\n")
            (service / "run").chmod(0o755)
            with subprocess.Popen([theirs(supervisor.program), str(service)], stdin=subprocess.DEVNULL) as process:
                try:
                    for _ in range(3):
                        visitors.wait(MANY)
                        until(lambda: _is_ready(service), "readiness")
                        _tell(("s6-svc", "-wR", "-T10000", "-r", "{}"), service)
                    visitors.wait(MANY)
                finally:
                    visitors.__exit__(None, None, None)
                    _tell(supervisor.leave[0], service)
                    process.wait(PATIENCE)
        assert visitors.lost == []


def _is_ready(service: Path) -> bool:
    status = subprocess.run([theirs("s6-svstat"), "-o", "ready", service], capture_output=True, check=False)
    return status.stdout == b"true\n"
