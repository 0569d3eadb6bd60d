"""A milter of a test's own, over either kind of socket: it says what it is told to, and keeps what it heard."""

import socket
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from typing import NamedTuple

from tests.support.listening import ListeningServer, serving
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


class ScriptedMilter(ListeningServer):
    """A milter. says: by the command that it hears, what it sends. unanswered: commands that it says nothing to.

    heard: what it has heard.
    """

    def __init__(self, listening: socket.socket, service: str) -> None:
        super().__init__(listening, service)
        self.says: dict[bytes, bytes] = {b"O": optneg()}
        self.unanswered: set[bytes] = set()
        self.heard: list[Heard] = []

    @property
    def commands(self) -> bytes:
        """The commands that it has heard, one behind the other."""
        return b"".join(heard.command for heard in self.heard)

    def say(self, packet: bytes) -> None:
        """Say something late, to whoever is there."""
        for connected in self._open:
            with suppress(OSError):
                connected.sendall(packet)

    def serve(self, connected: socket.socket, number: int, /) -> None:
        """Answer as it is told to."""
        reader = PacketReader()
        while data := connected.recv(65536):
            reader.feed(data)
            while packet := reader.next():
                self.heard.append(Heard(number, *packet))
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


def scripted_milter(path: Path | None = None) -> AbstractContextManager[ScriptedMilter]:
    """A running milter. path: of its socket; None = it listens on a port."""
    return serving(ScriptedMilter, path)
