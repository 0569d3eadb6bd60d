"""A milter of a test's own, over either kind of socket: it says what it is told to, and keeps what it heard."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from ucspi_py.core.milter.packet import PacketReader, number, packed

#: Said to whatever is not in the script; and, instead of packets, by a milter that says nothing, or hangs up.
CONTINUE, SILENT, CLOSES = packed(b"c"), b"", b"close"
_NO_ANSWER = (b"D", b"A")


class Heard(NamedTuple):
    """A packet that the milter got. number: of its connection, from 1."""

    number: int
    command: bytes
    data: bytes


def optneg(version: int = 6, actions: int = 0x1FF, protocol: int = 0, more: bytes = b"") -> bytes:
    """What a milter answers to an offer."""
    return packed(b"O", number(version) + number(actions) + number(protocol) + more)


class ScriptedMilter:
    """A milter. says: by the command that it hears, what it sends. unanswered: commands that it says nothing to.

    heard: what it has heard. connections: how many it has had.
    """

    def __init__(self, listening: socket.socket, service: str) -> None:
        self.service = service
        self.says: dict[bytes, bytes] = {b"O": optneg()}
        self.unanswered: set[bytes] = set()
        self.heard: list[Heard] = []
        self.connections = 0
        self._listening = listening
        self._open: list[socket.socket] = []

    @property
    def commands(self) -> bytes:
        """The commands that it has heard, one behind the other."""
        return b"".join(heard.command for heard in self.heard)

    def say(self, packet: bytes) -> None:
        """Say something late, to whoever is there."""
        for connected in self._open:
            with suppress(OSError):
                connected.sendall(packet)

    def drop(self) -> None:
        """Close all connections, as a milter that is started anew."""
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

    def _serve(self, connected: socket.socket, count: int) -> None:
        reader = PacketReader()
        with connected, suppress(OSError):
            while data := connected.recv(65536):
                reader.feed(data)
                while packet := reader.next():
                    self.heard.append(Heard(count, *packet))
                    if not self._answer(connected, packet.command):
                        return

    def _answer(self, connected: socket.socket, command: bytes) -> bool:
        """Whether it goes on."""
        if command in (*_NO_ANSWER, *self.unanswered):
            return True
        said = self.says.get(command, SILENT if command in (b"Q", b"K") else CONTINUE)
        if said == CLOSES or command == b"Q":
            return False
        connected.sendall(said)
        return True


@contextmanager
def scripted_milter(path: Path | None = None) -> Iterator[ScriptedMilter]:
    """A running milter. path: of its socket; None = it listens on a port."""
    if path is None:
        listening = socket.create_server(("127.0.0.1", 0))
        service = f"inet:127.0.0.1:{listening.getsockname()[1]}"
    else:
        listening = socket.socket(socket.AF_UNIX)
        listening.bind(str(path))
        listening.listen()
        service = f"unix:{path}"
    milter = ScriptedMilter(listening, service)
    accepting = threading.Thread(target=milter.accept, daemon=True)
    accepting.start()
    try:
        yield milter
    finally:
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        milter.drop()
        accepting.join()
