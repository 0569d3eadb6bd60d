"""Debian's postgrey on a socket of the test's, with records and whitelists of its own."""

import grp
import os
import pwd
import signal
import socket
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType

from .programs import theirs
from .waiting import PATIENCE, until

#: postgrey waits for the disk at each request, and what a test writes need not outlive it.
_MEMORY = "/dev/shm"  # a file system that is none on a disk
#: What a request of Postfix has, whatever it is about.
REQUEST = {"request": "smtpd_access_policy", "protocol_state": "RCPT", "etrn_domain": ""}


def packed(attributes: Mapping[str, str]) -> str:
    """A request, with these attributes beside REQUEST."""
    return "".join(f"{name}={value}\n" for name, value in {**REQUEST, **attributes}.items()) + "\n"


class Postgrey:
    """Runs within the with block. options: more of its own. path: of its socket."""

    def __init__(self, *options: str) -> None:
        self._options = options

    def __enter__(self) -> "Postgrey":
        self._folder = tempfile.TemporaryDirectory(
            prefix="postgrey", dir=_MEMORY if os.access(_MEMORY, os.W_OK) else None
        )
        self.path = f"{self._folder.name}/socket"
        self.log = Path(self._folder.name, "log")
        self._start()
        self._client = socket.socket(socket.AF_UNIX)
        self._client.settimeout(PATIENCE)
        self._client.connect(self.path)
        self._stream = self._client.makefile("rb")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stream.close()
        self._client.close()
        self._process.kill()
        self._process.wait(PATIENCE)
        self._folder.cleanup()

    def ask(self, attributes: Mapping[str, str]) -> str:
        """What it wants done; attributes: of the request, beside REQUEST."""
        self._client.sendall(packed(attributes).encode("latin-1"))
        action, empty = self._stream.readline(), self._stream.readline()
        assert action.startswith(b"action=")
        assert empty == b"\n"
        return action[7:-1].decode("latin-1")

    def reload(self, number: int) -> None:
        """Have it read its whitelists anew; number: how often it has been told so by then.

        Perl takes up a signal between two of its steps, and one that comes just before select(2) when that returns: so
        a client comes as well.
        """
        self._process.send_signal(signal.SIGHUP)
        until(lambda: self._answers() and self.said().count("HUP received") == number, "postgrey to read its files")

    def said(self) -> str:
        """What it has logged."""
        return self.log.read_text(encoding="latin-1")

    def _start(self) -> None:
        user, group = pwd.getpwuid(os.geteuid()).pw_name, grp.getgrgid(os.getegid()).gr_name
        place = (f"--unix={self.path}", f"--dbdir={self._folder.name}", f"--user={user}", f"--group={group}")
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                [theirs("postgrey"), *place, *self._options], stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        until(self._answers, "postgrey to answer")
        until(self._catches_hup, "postgrey to read files when it is told to")

    def _catches_hup(self) -> bool:
        """It has its socket before, and a signal that it does not catch ends it."""
        status = Path(f"/proc/{self._process.pid}/status").read_text(encoding="ascii")
        caught = int(status.partition("SigCgt:")[2].split()[0], 16)
        return bool(caught & 1 << signal.SIGHUP - 1)

    def _answers(self) -> bool:
        assert self._process.poll() is None, self.said()
        with socket.socket(socket.AF_UNIX) as client:
            return client.connect_ex(self.path) == 0
