"""Debian's HAProxy on loopback, in front of one server."""

import csv
import signal
import socket
import subprocess
from pathlib import Path
from types import TracebackType

from .ports import free_port
from .programs import theirs
from .waiting import PATIENCE, until

_CONFIGURATION = """\
global
    stats socket {stats} mode 600 level admin
defaults
    mode tcp
    timeout connect 10s
    timeout check 10s
    timeout client 1m
    timeout server 1m
frontend smtp
    bind 127.0.0.1:{port} {bind}
    unique-id-format %{{+X}}o\\ %ci:%cp_%fi:%fp
    default_backend mx
backend mx
    {backend}
    server mx1 127.0.0.1:{target} {server}
"""


class HAProxy:
    """Serves within the with block.

    target: the port of the server behind it. server: options of its line. backend: a line of its section. bind: options
    of the line of the frontend.
    """

    def __init__(self, folder: Path, target: int, server: str, *, backend: str = "", bind: str = "") -> None:
        self.port = free_port()
        self._stats = folder / f"stats-{self.port}"
        self._file = folder / f"haproxy-{self.port}.cfg"
        self._log = folder / f"haproxy-{self.port}.log"
        self._file.write_text(
            _CONFIGURATION.format(
                stats=self._stats, port=self.port, target=target, server=server, backend=backend, bind=bind
            )
        )

    def __enter__(self) -> "HAProxy":
        with self._log.open("wb") as log:
            self._process = subprocess.Popen([theirs("haproxy"), "-db", "-f", self._file], stdout=log, stderr=log)
        until(self._listens, f"haproxy to listen: {self._log.read_bytes()!r}")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.send_signal(signal.SIGTERM)
        self._process.wait(PATIENCE)

    def connect(self, source: str = "127.0.0.1") -> socket.socket:
        """A new client."""
        return socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE, source_address=(source, 0))

    def health(self) -> dict[str, str]:
        """What its statistics say of the server behind it: status, check_status, chkfail, chkdown and more.

        While a check is on its way, the last one counts, which HAProxy marks with a star.
        """
        with socket.socket(socket.AF_UNIX) as stats:
            stats.settimeout(PATIENCE)
            stats.connect(str(self._stats))
            stats.sendall(b"show stat\n")
            with stats.makefile() as lines:
                rows = csv.DictReader(line.removeprefix("# ") for line in lines if line.strip())
                found = next(row for row in rows if row["svname"] == "mx1")
        return found | {"check_status": found["check_status"].removeprefix("* ")}

    def _listens(self) -> bool:
        assert self._process.poll() is None, self._log.read_bytes()
        return self._stats.exists()
