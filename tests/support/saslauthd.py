"""Debian's saslauthd, which asks an IMAP server of the test about passwords (rimap)."""

import contextlib
import os
import shlex
import signal
import socket
import subprocess
import tempfile
import threading
from types import TracebackType

from .programs import need_root, theirs
from .waiting import PATIENCE, until


class Saslauthd:
    """Runs within the with block. passwords: of users; user@realm where there is a realm. options: more of its own.

    path: of its socket, which everybody may enter.
    """

    def __init__(self, passwords: dict[str, str], *options: str) -> None:
        need_root()
        self._passwords = passwords
        self._options = options

    def __enter__(self) -> "Saslauthd":
        self._imap = _Imap(self._passwords)
        self._folder = tempfile.TemporaryDirectory(prefix="saslauthd")
        os.chmod(self._folder.name, 0o755)  # noqa: S103  # whoever we are asks it
        self.path = f"{self._folder.name}/mux"
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.end()
        self._folder.cleanup()
        self._imap.close()

    def start(self) -> None:
        """Start it, and wait until its socket is there."""
        server = f"127.0.0.1/{self._imap.port}"
        self._process = subprocess.Popen(
            [theirs("saslauthd"), "-d", "-a", "rimap", "-O", server, "-m", self._folder.name, *self._options],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        until(self._listens, "saslauthd to listen")

    def end(self) -> None:
        """End it and its processes. SIGTERM may find it in a handler of its own, which then waits for itself."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait(PATIENCE)

    def _listens(self) -> bool:
        assert self._process.poll() is None, "saslauthd has ended"
        with socket.socket(socket.AF_UNIX) as client:
            return client.connect_ex(self.path) == 0


class _Imap:
    """As much of RFC 9051 as saslauthd speaks: a greeting, and a LOGIN with two quoted strings."""

    def __init__(self, passwords: dict[str, str]) -> None:
        self._passwords = passwords
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._thread.join(PATIENCE)
        self._socket.close()

    def _serve(self) -> None:
        while True:
            try:
                client, _address = self._socket.accept()
            except OSError:
                return
            with client, client.makefile("rb") as stream, contextlib.suppress(ConnectionResetError):
                client.sendall(b"* OK IMAP4rev1\r\n")
                for line in stream:
                    client.sendall(self._reply(line.decode()))

    def _reply(self, line: str) -> bytes:
        tag, verb, *words = shlex.split(line)
        if verb.upper() != "LOGIN":
            return f"* BYE\r\n{tag} OK bye\r\n".encode()
        verdict = "OK" if self._passwords.get(words[0]) == words[1] else "NO"
        return f"{tag} {verdict} said\r\n".encode()
