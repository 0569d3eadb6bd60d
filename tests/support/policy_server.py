"""A policy server of a test's own, over either kind of socket: it says what it is told to, and keeps what it heard."""

import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

#: Said by a server that says nothing, and by one that closes the connection.
SILENT, CLOSES = b"", b"close"


class PolicyServer:
    """A server. action: what it says of a request now, or bytes beginning with = that it sends as they are.

    requests: those that it has heard, as attributes. connections: how many it has had.
    """

    def __init__(self, listening: socket.socket, service: str) -> None:
        self.service = service
        self.action = b"DUNNO"
        self.requests: list[Mapping[str, str]] = []
        self.connections = 0
        self._listening = listening
        self._open: list[socket.socket] = []
        self._threads: list[threading.Thread] = []

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self.service.rpartition(":")[2])

    def say(self, action: bytes) -> None:
        """Say this from now on."""
        self.action = action

    def heard(self, name: str) -> list[str]:
        """What it has heard of one attribute."""
        return [request[name] for request in self.requests]

    def drop(self) -> None:
        """Close all connections, as a server that is started anew."""
        for connected in self._open:
            with suppress(OSError):
                connected.shutdown(socket.SHUT_RDWR)
        self._open.clear()

    def accept(self) -> None:
        """Serve until the socket is closed."""
        while True:
            try:
                connected, _ = self._listening.accept()
            except OSError:
                return
            self.connections += 1
            self._open.append(connected)
            thread = threading.Thread(target=self._serve, args=(connected,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, connected: socket.socket) -> None:
        with connected, connected.makefile("rb") as lines, suppress(OSError):
            request: dict[str, str] = {}
            for line in lines:
                if line != b"\n":
                    name, _, value = line.decode().removesuffix("\n").partition("=")
                    request[name] = value
                    continue
                self.requests.append(request)
                request = {}
                if self.action == CLOSES:
                    return
                whole = self.action[1:] if self.action.startswith(b"=") else b"action=%b\n\n" % self.action
                connected.sendall(b"" if self.action == SILENT else whole)


@contextmanager
def policy_server(path: Path | None = None, *, ip: str = "127.0.0.1") -> Iterator[PolicyServer]:
    """A running server. path: of its socket; None = it listens on a port. ip: there."""
    if path is None:
        listening = socket.create_server((ip, 0), family=socket.AF_INET6 if ":" in ip else socket.AF_INET)
        service = f"inet:{ip}:{listening.getsockname()[1]}"
    else:
        listening = socket.socket(socket.AF_UNIX)
        listening.bind(str(path))
        listening.listen()
        service = f"unix:{path}"
    server = PolicyServer(listening, service)
    accepting = threading.Thread(target=server.accept, daemon=True)
    accepting.start()
    try:
        yield server
    finally:
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        server.drop()
        accepting.join()
