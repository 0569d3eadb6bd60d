"""Starts the checker of passwords, and kills it. Never decides whether, and never waits for it."""

import contextlib
import os
import resource
import signal
from collections.abc import Mapping

from ...core.auth import checkpassword
from ...core.auth.credentials import Peer
from ..process.pathexec import find

#: Where the checker reads what it is told (cr.yp.to/checkpwd/interface.html).
_TOLD = 3


class CheckerLauncher:
    """Starts one checker again and again.

    argv: of the checker. cpu_seconds: of the processor that it may use. path: the server's $PATH.
    """

    def __init__(self, argv: tuple[str, ...], cpu_seconds: int, environment: Mapping[bytes, bytes]) -> None:
        self._argv = argv
        self._cpu_seconds = cpu_seconds
        self._path = environment.get(b"PATH", os.defpath.encode())

    def start(self, told: bytes, peer: Peer) -> int:
        """Start the checker in a process group of its own; its process id.

        told: what it reads from descriptor 3, less than a pipe holds; else it has nothing of ours but 0 to 2. Raises
        OSError.
        """
        reader, writer = os.pipe()
        try:
            with open(writer, "wb", buffering=0) as file:
                file.write(told)
            pid = os.posix_spawn(
                find(self._argv[0]),
                self._argv,
                checkpassword.environment(self._path, peer),
                file_actions=((os.POSIX_SPAWN_DUP2, reader, _TOLD),),
                setpgroup=0,
                setsigdef=tuple(signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}),
                setsigmask=(),
            )
        finally:
            os.close(reader)
        self._limit(pid)
        return pid

    def _limit(self, pid: int) -> None:
        """prlimit(2), as posix_spawn sets no limits; where there is none, the time that it may run is the only one."""
        if hasattr(resource, "prlimit"):
            with contextlib.suppress(OSError):  # it has ended, or is somebody else by now (setuid)
                resource.prlimit(pid, resource.RLIMIT_CPU, (self._cpu_seconds, self._cpu_seconds))


def kill(pid: int) -> None:
    """Kill a checker that has not been reaped, and all of its process group. pid: its process id."""
    with contextlib.suppress(OSError):
        os.killpg(pid, signal.SIGKILL)
