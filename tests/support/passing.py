"""Listening sockets that somebody else holds, as systemd does, and servers that are started with them."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from .server import talk
from .waiting import PATIENCE, until

#: Gives its descriptors the numbers from 3 on, and becomes a program, as systemd's child does (sd_listen_fds(3)).
_CHILD = """
import fcntl, os, sys
count, names, pid, extra, *rest = sys.argv[1:]
fds, argv = [int(fd) for fd in rest[: int(count)]], rest[int(count) :]
kept = [fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, 64) for fd in fds]
if int(extra):
    os.dup2(int(extra), 9, inheritable=True)
    os.close(int(extra))
for place, fd in enumerate(kept, 3):
    os.dup2(fd, place, inheritable=True)
os.environ |= {"LISTEN_FDS": count, "LISTEN_FDNAMES": names, "LISTEN_PID": pid or str(os.getpid())}
os.execvp(argv[0], argv)
"""


class Holder:
    """Holds sockets and starts servers with them, one after the other; the log of all is in one file."""

    def __init__(self, folder: Path, hosts: Sequence[str] = ("127.0.0.1",), names: Sequence[str] = ()) -> None:
        self._stack = ExitStack()
        self.sockets = [self._stack.enter_context(socket.create_server((host, 0))) for host in hosts]
        self.names = names
        self.port = self.sockets[0].getsockname()[1]
        self.log_file = folder / "log-passed"
        self.processes: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for process in self.processes:
            self.stop(process)
        self._stack.close()

    def start(
        self, argv: Sequence[str], env: Mapping[str, str] | None = None, pid: str = "", extra: int | None = None
    ) -> "subprocess.Popen[bytes]":
        """Start a server with all sockets. pid: whose they are to be, "" = the server's. extra: what it has as 9."""
        fds = [one.fileno() for one in self.sockets]
        command = [sys.executable, "-c", _CHILD]
        with self.log_file.open("ab") as log:
            process = subprocess.Popen(
                [*command, str(len(fds)), ":".join(self.names), pid, str(extra or 0), *map(str, fds), *argv],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=log,
                env=os.environ | (env or {}),
                pass_fds=fds if extra is None else (*fds, extra),
            )
        self.processes.append(process)
        return process

    def stop(self, process: "subprocess.Popen[bytes]") -> int:
        """Stop a server; its exit code."""
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        return process.wait(PATIENCE)

    def talk(self, place: int = 0) -> bytes:
        """What a client hears. place: of the socket to which it comes."""
        with socket.create_connection(self.sockets[place].getsockname()[:2], timeout=PATIENCE) as client:
            return talk(client)

    def log(self) -> bytes:
        """The log so far."""
        return self.log_file.read_bytes()

    def wait_log(self, *wanted: bytes) -> bytes:
        """The log, once it holds everything wanted."""
        until(lambda: all(piece in self.log() for piece in wanted), f"{wanted} in the log: {self.log()[-2000:]!r}")
        return self.log()
