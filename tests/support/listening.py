"""A server of a test's own that listens on either kind of socket, with a thread for each connection."""

import socket
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeVar


class ListeningServer(ABC):
    """A server. service: where it listens, as main.cf has that. connections: how many it has had."""

    def __init__(self, listening: socket.socket, service: str) -> None:
        self.service = service
        self.connections = 0
        self._listening = listening
        self._open: list[socket.socket] = []

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self.service.rpartition(":")[2])

    @abstractmethod
    def serve(self, connected: socket.socket, number: int, /) -> None:
        """Serve one connection to its end. number: of it, from 1."""

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
            threading.Thread(target=self._serve, args=(connected, self.connections), daemon=True).start()

    def _serve(self, connected: socket.socket, number: int) -> None:
        with connected, suppress(OSError):
            self.serve(connected, number)


_Server = TypeVar("_Server", bound=ListeningServer)


@contextmanager
def serving(
    make: Callable[[socket.socket, str], _Server], path: Path | None, ip: str = "127.0.0.1"
) -> Iterator[_Server]:
    """Make a server, and have it serve. path: of its socket; None = it listens on a port. ip: there."""
    if path is None:
        listening = socket.create_server((ip, 0), family=socket.AF_INET6 if ":" in ip else socket.AF_INET)
        service = f"inet:{ip}:{listening.getsockname()[1]}"
    else:
        listening = socket.socket(socket.AF_UNIX)
        listening.bind(str(path))
        listening.listen()
        service = f"unix:{path}"
    server = make(listening, service)
    accepting = threading.Thread(target=server.accept, daemon=True)
    accepting.start()
    try:
        yield server
    finally:
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        server.drop()
        accepting.join()
