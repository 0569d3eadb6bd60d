"""Where programs may run: wherever the server may, though it stays on one processor while it starts them."""

import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.programs import ours
from tests.support.server import QUIET, Server, children
from tests.support.waiting import until

SERVER = ours("pytcpserver")

#: Runs a program under a filter of system calls that kills whoever asks for a processor.
_FILTERED = """
import ctypes, os, platform, struct, sys
number = {"x86_64": 203, "aarch64": 122}[platform.machine()]
steps = ((0x20, 0, 0, 0), (0x15, 0, 1, number), (0x06, 0, 0, 0x80000000), (0x06, 0, 0, 0x7FFF0000))
code = b"".join(struct.pack("HBBI", *step) for step in steps)
class Filter(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("code", ctypes.c_char_p)]
prctl = ctypes.CDLL(None, use_errno=True).prctl
assert prctl(38, 1, 0, 0, 0) == 0, "PR_SET_NO_NEW_PRIVS"
assert prctl(22, 2, ctypes.byref(Filter(len(steps), code)), 0, 0) == 0, "PR_SET_SECCOMP"
os.execvp(sys.argv[1], sys.argv[1:])
"""
FILTERED = (sys.executable, "-c", _FILTERED)


@pytest.mark.parametrize("number", [1, 30])
def test_programs_and_workers_may_run_everywhere(number: int, tmp_path: Path) -> None:
    """One by itself, and so many at once that their starts are made in a row."""
    backend = ("sh", "-c", "read x; exec grep Cpus_allowed: /proc/self/status")
    expected = next(line for line in Path("/proc/self/status").read_text().splitlines() if "Cpus_allowed:" in line)
    with Server(SERVER, ("-v", "-w1", *QUIET), backend, tmp_path) as server, contextlib.ExitStack() as stack:
        clients = [stack.enter_context(server.connect()) for _ in range(number)]
        until(lambda: server.log().count(b"tcpserver: ok ") == number, "all programs to be started")
        worker = children(server.process.pid)[0]
        for client in clients:
            client.sendall(b"go on\n")
            assert client.recv(1000).decode() == f"{expected}\n"
        assert os.sched_getaffinity(worker) == os.sched_getaffinity(0)


def test_a_filter_that_kills_who_asks_for_a_processor(tmp_path: Path) -> None:
    """Then nobody asks."""
    ask = "import os; os.sched_setaffinity(0, os.sched_getaffinity(0))"
    assert subprocess.run([*FILTERED, sys.executable, "-c", ask], check=False).returncode == -signal.SIGSYS

    with Server(SERVER, QUIET, ("echo", "hello"), tmp_path, before=FILTERED) as server:
        assert [server.talk() for _ in range(5)] == [b"hello\n"] * 5
        assert server.log() == b""
