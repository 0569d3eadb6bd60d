"""Where programs may run: wherever the server may."""

import os
from pathlib import Path

from tests.support.programs import ours
from tests.support.server import QUIET, Server, children

#: A script whose one command is a process of its own, forked whenever the shell comes to it.
_SCRIPT = "#!/bin/sh\ngrep Cpus_allowed: /proc/self/status\n"


def test_whatever_a_program_starts_may_run_everywhere(tmp_path: Path) -> None:
    """Many programs at once, started in a row: neither they, nor what they start, nor the worker is ever pinned."""
    script = tmp_path / "script"
    script.write_text(_SCRIPT)
    script.chmod(0o755)
    everywhere = next(
        line for line in Path("/proc/self/status").read_bytes().splitlines(True) if b"Cpus_allowed:" in line
    )
    with Server(ours("pytcpserver"), ("-w1", *QUIET), (str(script),), tmp_path) as server:
        clients = [server.connect() for _ in range(120)]
        said = [client.makefile("rb").read() for client in clients]
        for client in clients:
            client.close()
        assert set(said) == {everywhere}
        assert [os.sched_getaffinity(pid) for pid in children(server.process.pid)] == [os.sched_getaffinity(0)]
