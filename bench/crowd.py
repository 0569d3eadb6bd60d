"""Many clients that each stay within a session until they are told to end it. Never starts a server."""

import math
import select
import socket
import time
from dataclasses import dataclass, field
from typing import NamedTuple

from workshop import OWN_DOMAIN


class Session(NamedTuple):
    """What a client says and hears.

    lines: said one after the other; the first one answers the banner. replies: how those begin that are waited for, of
    the banner as well. stays_at: how many lines a client has said when it stays. told: how a reply begins by which it
    may be left instead. silence: seconds for which it is silent at most: where most places are taken, a gate leaves
    whoever is so for ten.
    """

    lines: tuple[bytes, ...]
    replies: tuple[bytes, ...]
    stays_at: int = 2
    told: bytes | None = None
    silence: float = math.inf


_BEGINNING = (b"EHLO bench.example\r\n", b"MAIL FROM:<a@bench.example>\r\n", f"RCPT TO:<b@{OWN_DOMAIN}>\r\n".encode())
_MESSAGE = (b"DATA\r\n", b"Subject: held\r\n\r\nbody\r\n.\r\n")
_QUIT = b"QUIT\r\n"

#: A client that a screen refuses, which is held.
REFUSED = Session((*_BEGINNING, _QUIT), (b"2", b"2", b"2", b"5", b"2"))
#: One of a gate, which leaves it where no recipient was accepted.
STRANGER = Session(
    (*_BEGINNING, *_MESSAGE, _QUIT), (b"2", b"2", b"2", b"2", b"3", b"2", b"2"), told=b"421 4.3.2 ", silence=3.0
)

_IDLE = b"NOOP\r\n"
#: Seconds between two looks for clients that have been silent for too long.
_LOOKS = 1.0
#: Clients of one process that come, and that end their transactions, at a time.
_AT_A_TIME = 60


@dataclass(slots=True)
class _Client:
    """One of them. at: how many lines it has said. spoke: when it has said its last. waits: for a reply."""

    socket: socket.socket
    spoke: float
    at: int = 0
    waits: bool = True
    ends: bool = False
    heard: bytearray = field(default_factory=bytearray)


class Crowd:
    """Clients of one port, in this process. net: the second and third number of their addresses.

    finished, told: how many have ended their sessions, and have been left in order. lost: why others were.
    """

    def __init__(self, session: Session, port: int, number: int, net: str) -> None:
        self._session = session
        self._address = ("127.0.0.1", port)
        self._sources = [(f"127.{net}.{1 + n % 250}", 0) for n in range(250)]
        self._number = number
        self._clients: dict[int, _Client] = {}
        self._poll = select.epoll()
        self._next_look = 0.0
        self.finished = self.told = 0
        self.lost: list[str] = []

    def come(self) -> None:
        """Have all come, as far as to where they stay."""
        begun = staying = 0
        while staying + len(self.lost) < self._number:
            while begun < self._number and begun - staying - len(self.lost) < _AT_A_TIME:
                self._knock(begun)
                begun += 1
            self._turn()
            staying = sum(client.at == self._session.stays_at for client in self._clients.values())

    def stay(self) -> None:
        """Go on for a moment."""
        self._turn()

    def end(self) -> None:
        """Have all end their transactions, some at a time."""
        while self._clients:
            ending = sum(client.ends for client in self._clients.values())
            for client in list(self._clients.values()):
                if ending >= _AT_A_TIME:
                    break
                if self._stays(client):
                    client.ends = True
                    ending += 1
                    self._say_next(client)
            self._turn()

    def _stays(self, client: _Client) -> bool:
        """Whether it is where it stays."""
        return client.at == self._session.stays_at and not client.waits

    def _knock(self, number: int) -> None:
        connected = socket.create_connection(self._address, 60, self._sources[number % len(self._sources)])
        connected.setblocking(False)
        self._clients[connected.fileno()] = _Client(connected, time.monotonic())
        self._poll.register(connected.fileno(), select.EPOLLIN)

    def _turn(self) -> None:
        for fd, _ in self._poll.poll(0.1, 512):
            self._hear(self._clients[fd])
        now = time.monotonic()
        if now >= self._next_look:
            self._next_look = now + _LOOKS
            for client in list(self._clients.values()):
                if self._stays(client) and now - client.spoke > self._session.silence:
                    self._say(client, _IDLE)

    def _hear(self, client: _Client) -> None:
        try:
            data = client.socket.recv(4096)
        except OSError as error:
            self._leave(client, str(error))
            return
        if not data:
            self._leave(client, "" if client.at > len(self._session.lines) else "left without a word")
            return
        client.heard += data
        last = bytes(client.heard).rstrip(b"\r\n").rpartition(b"\n")[2]
        if client.heard.endswith(b"\n") and last[3:4] == b" ":
            client.heard.clear()
            self._answered(client, last)

    def _answered(self, client: _Client, reply: bytes) -> None:
        client.waits = False
        if not reply.startswith(self._session.replies[client.at]):
            if self._session.told and reply.startswith(self._session.told):
                self.told += 1
                self._close(client)
            else:
                self._leave(client, reply.decode("ascii", "replace"))
        elif client.at < self._session.stays_at or client.ends:
            self._say_next(client)

    def _say_next(self, client: _Client) -> None:
        client.at += 1
        if client.at <= len(self._session.lines):
            self._say(client, self._session.lines[client.at - 1])

    def _say(self, client: _Client, line: bytes) -> None:
        client.spoke, client.waits = time.monotonic(), True
        try:
            client.socket.send(line)
        except OSError as error:
            self._leave(client, str(error))

    def _leave(self, client: _Client, why: str) -> None:
        self._close(client)
        if why:
            self.lost.append(why)
        else:
            self.finished += 1

    def _close(self, client: _Client) -> None:
        del self._clients[client.socket.fileno()]
        client.socket.close()
