"""Connected UDP sockets to one name server, each with many questions under way. Never judges an answer.

A socket, and with it a port, serves some questions and is then replaced; ids are random and not guessable; an answer
counts only from the server that was asked, under an id that is out, with the very question (RFC 5452).

Questions that come in one turn of the loop leave together: a name server on the same machine then wakes for all of
them, and not for each, and its answers come together, too.
"""

import asyncio
import socket
import time
from collections.abc import Callable

from ..core import dns_message
from ..core.dns_message import Answer, Failed, Question, TellAnswer, Truncated
from ..core.dns_servers import Server
from .chance import random_number
from .later import Later
from .sockaddr import family, sockaddr

Read = Callable[[bytes, Question], Answer]

TIMED_OUT = Failed("timed out")
UNREACHABLE = Failed("input/output error")
#: There is an answer, but it did not fit: to be asked for over TCP.
TOO_LONG = Failed("truncated")

#: Sockets open to one server, and questions after which one is replaced.
_SOCKETS = 8
_QUESTIONS = 500
#: Questions that leave together at most: what a name server has not read yet has to fit into its socket. And answers
#: taken in one wake-up.
_TOGETHER = 32
#: Seconds between two looks for questions whose time is over: one timer for all of them.
_LOOKS = 0.05


class Exchange:
    """One socket and the questions that are out on it."""

    def __init__(self, loop: asyncio.AbstractEventLoop, server: Server, read: Read) -> None:
        self._loop = loop
        self._read = read
        self._socket = socket.socket(family(server.ip), socket.SOCK_DGRAM)
        try:
            self._socket.setblocking(False)
            self._socket.connect(sockaddr(*server))
        except OSError:
            self._socket.close()
            raise
        self._asked = 0
        self._unsent: list[tuple[int, bytes]] = []
        # By id: the question, the monotonic second at which its time is over, and who gets the answer, once.
        self._out: dict[int, tuple[Question, float, TellAnswer]] = {}
        self._later = Later(_LOOKS, self._give_up)
        loop.add_reader(self._socket, self._receive)

    @property
    def worn(self) -> bool:
        """Whether it has served long enough."""
        return self._asked >= _QUESTIONS

    @property
    def is_collecting(self) -> bool:
        """Whether questions are about to leave, and more may go with them."""
        return bool(self._unsent)

    def ask(self, asked: Question, until: float, tell: TellAnswer) -> None:
        """Ask; tell() gets the answer, or what the failure is: UNREACHABLE, TOO_LONG, or TIMED_OUT a little later than
        ``until``, seconds of the monotonic clock."""
        number = random_number()
        while number in self._out:
            number = random_number()
        self._asked += 1
        self._out[number] = asked, until, tell
        self._later.ask(self._loop)
        if not self._unsent:
            self._loop.call_soon(self._send)
        self._unsent.append((number, asked.packet(number)))
        if len(self._unsent) == _TOGETHER:
            self._send()

    def close_when_done(self) -> None:
        """Take no more questions; close after the last answer."""
        self._asked = _QUESTIONS
        self._close_if_done()

    def _close_if_done(self) -> None:
        if self.worn and not self._out and self._socket.fileno() >= 0:
            self._loop.remove_reader(self._socket)
            self._socket.close()

    def _send(self) -> None:
        unsent, self._unsent = self._unsent, []
        for number, packet in unsent:
            try:
                self._socket.send(packet)
            except ConnectionRefusedError:
                self._fail_all()
                return
            except OSError:
                self._settle(number, UNREACHABLE)

    def _receive(self) -> None:
        """Take as many packets as are awaited, some at most, so that a flood does not keep the loop; then read them."""
        packets, refused = [], False
        for _ in range(min(_TOGETHER, len(self._out) or 1)):
            try:
                packets.append(self._socket.recv(dns_message.UDP_LIMIT + 1))
            except BlockingIOError:
                break
            except OSError:
                refused = True
                break
        for packet in packets:
            self._deliver(packet)
        if refused:
            self._fail_all()

    def _fail_all(self) -> None:
        """The server's port is closed, which the system says once for all that was sent."""
        for number in list(self._out):
            self._settle(number, UNREACHABLE)

    def _deliver(self, packet: bytes) -> None:
        number = int.from_bytes(packet[:2], "big")
        if number not in self._out or len(packet) > dns_message.UDP_LIMIT:
            return
        asked, _, _ = self._out[number]
        if dns_message.is_answer(packet, number, asked):
            try:
                answer = self._read(packet, asked)
            except Truncated:
                answer = TOO_LONG
            self._settle(number, answer)

    def _give_up(self) -> None:
        now = time.monotonic()
        for number in [number for number, (_, until, _) in self._out.items() if until <= now]:
            self._settle(number, TIMED_OUT)
        if self._out:
            self._later.ask(self._loop)

    def _settle(self, number: int, answer: Answer) -> None:
        if number in self._out:
            _, _, tell = self._out.pop(number)
            self._close_if_done()
            tell(answer)


class UdpPool:
    """Some sockets to one server, a random one each time. read: an answer's packet -> the answer."""

    def __init__(self, loop: asyncio.AbstractEventLoop, server: Server, read: Read) -> None:
        self._loop = loop
        self._server = server
        self._read = read
        self._exchanges: list[Exchange] = []
        self._chosen: Exchange | None = None

    def ask(self, asked: Question, until: float, tell: TellAnswer) -> None:
        """Ask on one of the sockets, as Exchange.ask does."""
        if not self._chosen or not self._chosen.is_collecting:
            try:
                self._chosen = self._any()
            except OSError:
                tell(UNREACHABLE)
                return
        self._chosen.ask(asked, until, tell)

    def close(self) -> None:
        """Close every socket, after the last answer."""
        for exchange in self._exchanges:
            exchange.close_when_done()

    def _any(self) -> Exchange:
        index = random_number() % _SOCKETS
        if index >= len(self._exchanges):
            index = len(self._exchanges)
            self._exchanges.append(self._exchange())
        if self._exchanges[index].worn:
            self._exchanges[index].close_when_done()
            self._exchanges[index] = self._exchange()
        return self._exchanges[index]

    def _exchange(self) -> Exchange:
        return Exchange(self._loop, self._server, self._read)
