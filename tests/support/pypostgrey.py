"""pypostgrey on a Unix socket of its own, and clients that ask it as Postfix does."""

import os
import signal
import socket
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from types import TracebackType
from typing import Self

from .programs import ours
from .waiting import PATIENCE, until

#: What Postfix sends of a recipient, but for what is empty.
RCPT = {
    "request": "smtpd_access_policy",
    "protocol_state": "RCPT",
    "protocol_name": "ESMTP",
    "client_address": "192.0.2.7",
    "client_name": "mail.example.net",
    "helo_name": "mail.example.net",
    "sender": "a@example.net",
    "recipient": "b@example.org",
    "instance": "1",
    "etrn_domain": "",
}
NEW = b"DEFER_IF_PERMIT 4.2.0 Greylisted, see http://postgrey.schweikert.ch/help/example.org.html"


def request(**changed: str) -> bytes:
    """A request, with these attributes changed."""
    return packed({**RCPT, **changed})


def packed(attributes: Mapping[str, str]) -> bytes:
    """A request of these attributes."""
    return "".join(f"{name}={value}\n" for name, value in attributes.items()).encode() + b"\n"


def connected(path: str) -> socket.socket:
    """A connection to a Unix socket."""
    connection = socket.socket(socket.AF_UNIX)
    try:
        connection.connect(path)
    except OSError:
        connection.close()
        raise
    return connection


class Asking:
    """A connection to a policy server."""

    def __init__(self, connected: socket.socket) -> None:
        self.socket = connected
        self.socket.settimeout(PATIENCE)
        self._file = connected.makefile("rb")

    def ask(self, **changed: str) -> bytes:
        """The action for a request, with these attributes changed."""
        return self.send(request(**changed))

    def send(self, data: bytes) -> bytes:
        """The action that comes after these bytes."""
        self.socket.sendall(data)
        return self.heard()

    def heard(self) -> bytes:
        """The next action; b"" = the server has hung up."""
        line = self._file.readline()
        assert not line or self._file.readline() == b"\n", line
        return line.removeprefix(b"action=").removesuffix(b"\n")

    def close(self) -> None:
        """Hang up."""
        self._file.close()
        self.socket.close()


class Postgrey:
    """A running one within the with block. options: more than its socket, its store and --user of who runs tests.

    path: of its socket. store: None = a file of its own. variables: of its environment. program: that runs in the place
    of the installed one. folder: one of its own.
    """

    def __init__(
        self,
        *options: str,
        store: str | None = None,
        variables: Mapping[str, str] | None = None,
        program: Sequence[str] = (),
    ) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="postgrey")
        self.folder = Path(self._folder.name)
        self.folder.chmod(0o755)  # Postfix, too, is to reach it
        self.path = f"{self.folder}/socket"
        self.store = store or f"{self.folder}/db"
        for name in ("clients", "recipients"):
            (self.folder / name).touch()
        self._options = (*self._own(), *options)
        self._variables = variables or {}
        self._program = program or (ours("pypostgrey"),)
        self._log = self.folder / "log"

    def _own(self) -> tuple[str, ...]:
        ids = ("--user", str(os.getuid()), "--group", str(os.getgid()))
        lists = (f"--whitelist-clients={self.folder}/clients", f"--whitelist-recipients={self.folder}/recipients")
        return (f"--unix={self.path}", "-s", self.store, *ids, *lists)

    def __enter__(self) -> Self:
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                [*self._program, *self._options],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=log,
                env={"PATH": os.environ["PATH"], **self._variables},
            )
        until(self._is_there, "pypostgrey to listen")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.process.terminate()
        code = self.process.wait(PATIENCE)
        log = self.log()
        self._folder.cleanup()
        assert code == 0, log
        assert b"Traceback" not in log, log

    def asking(self) -> closing[Asking]:
        """A connection to it."""
        return closing(Asking(connected(self.path)))

    def ask(self, **changed: str) -> bytes:
        """The action for a request on a connection of its own, with these attributes changed."""
        with self.asking() as asking:
            return asking.ask(**changed)

    def log(self) -> bytes:
        """Its log so far."""
        return self._log.read_bytes()

    def wait_log(self, *wanted: bytes) -> bytes:
        """Its log, once it holds everything wanted."""
        until(lambda: all(piece in self.log() for piece in wanted), f"{wanted!r} in {self.log()!r}")
        return self.log()

    def workers(self) -> list[int]:
        """The process ids of those that answer."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return [int(pid) for pid in children.read_text().split()]

    def hup(self) -> None:
        """Have it read its whitelists."""
        self.process.send_signal(signal.SIGHUP)

    def usr1(self) -> None:
        """Have it tell what its zones were good for."""
        self.process.send_signal(signal.SIGUSR1)

    def _is_there(self) -> bool:
        assert self.process.poll() is None, self.log()
        try:
            with self.asking():
                return True
        except OSError:
            return False
