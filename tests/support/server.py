"""A running tcpserver, theirs or ours, on an ephemeral port, with its log in a file."""

import contextlib
import os
import signal
import socket
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from .waiting import PATIENCE, until

#: What most tests want: no look-up of anything.
QUIET = ("-H", "-R", "-l", "0")


class Server:
    """Starts ``program -1 OPTIONS HOST 0 BACKEND...`` and knows its port; stopped at the end of the with block."""

    def __init__(
        self,
        program: str,
        options: Sequence[str],
        backend: Sequence[str],
        folder: Path,
        *,
        host: str = "127.0.0.1",
        env: Mapping[str, str] | None = None,
        before: Sequence[str] = (),
    ) -> None:
        self.log_file = folder / f"log-{os.path.basename(program)}-{id(self)}"
        with self.log_file.open("wb") as log:
            self.process = subprocess.Popen(
                [*before, program, "-1", *options, host, "0", *backend],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                env=None if env is None else dict(env),
            )
        self.host = host

    def __enter__(self) -> Self:
        assert self.process.stdout
        line = self.process.stdout.readline()
        assert line, f"no port: {self.log()!r}"
        self.port = int(line)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Send a signal and wait; the exit code (negative: the signal that killed it)."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        code = self.process.wait(PATIENCE)
        if self.process.stdout:
            self.process.stdout.close()
        return code

    def connect(self, source: str = "127.0.0.1") -> socket.socket:
        """A new client."""
        return socket.create_connection(
            ("127.0.0.1" if self.host == "0" else self.host, self.port),
            timeout=PATIENCE,
            source_address=(source, 0) if ":" not in self.host else None,
        )

    def talk(self, data: bytes = b"", source: str = "127.0.0.1") -> bytes:
        """Send something, close our side, read to the end; a reset counts as the end."""
        with self.connect(source) as client:
            return talk(client, data)

    def log(self) -> bytes:
        """The log so far."""
        return self.log_file.read_bytes()

    def wait_log(self, *wanted: bytes) -> bytes:
        """The log, once it holds everything wanted."""
        until(lambda: all(piece in self.log() for piece in wanted), f"{wanted} in the log: {self.log()[-2000:]!r}")
        return self.log()


def children(pid: int) -> list[int]:
    """The process ids of a process's children; of one that is gone there are none."""
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return []


def talk(client: socket.socket, data: bytes = b"") -> bytes:
    """Send something, close our side, read to the end; a reset counts as the end."""
    received = b""
    with contextlib.suppress(OSError):  # who does not read may have reset us already; what it said is there to be read
        client.sendall(data)
        client.shutdown(socket.SHUT_WR)
    with contextlib.suppress(ConnectionResetError):
        while piece := client.recv(65536):
            received += piece
    return received
