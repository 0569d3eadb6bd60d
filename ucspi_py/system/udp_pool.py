"""Connected UDP sockets to one name server, each with many questions under way. Never judges an answer.

A socket, and with it a port, serves some questions and is then replaced; ids are random and not guessable; an answer
counts only from the server that was asked, under an id that is out, with the very question (RFC 5452).
"""

import asyncio
import socket
from collections.abc import Callable

from ..core import dns_message
from ..core.dns_message import Answer, Question, Truncated
from .chance import random_number

Read = Callable[[bytes, Question], Answer]

#: Sockets open to one server, and questions after which one is replaced.
_SOCKETS = 8
_QUESTIONS = 500


class Exchange:
    """One socket and the questions that are out on it."""

    def __init__(self, loop: asyncio.AbstractEventLoop, server: tuple[str, int], read: Read) -> None:
        self._loop = loop
        self._read = read
        self._socket = socket.socket(_family(server), socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        self._socket.connect(server)
        self._asked = 0
        self._out: dict[int, tuple[Question, asyncio.Future[Answer]]] = {}
        loop.add_reader(self._socket, self._receive)

    @property
    def worn(self) -> bool:
        """Whether it has served long enough."""
        return self._asked >= _QUESTIONS

    async def ask(self, asked: Question, patience: float) -> Answer:
        """The answer to a question.

        Raises Truncated, the OSError of a server that is not there, or TimeoutError after ``patience`` seconds.
        """
        number = random_number()
        while number in self._out:
            number = random_number()
        answer: asyncio.Future[Answer] = self._loop.create_future()
        self._out[number] = asked, answer
        self._asked += 1
        alarm = self._loop.call_later(patience, _give_up, answer)
        try:
            self._socket.send(asked.packet(number))
            return await answer
        finally:
            alarm.cancel()
            del self._out[number]
            self._close_if_done()

    def close_when_done(self) -> None:
        """Take no more questions; close after the last answer."""
        self._asked = _QUESTIONS
        self._close_if_done()

    def _close_if_done(self) -> None:
        if self.worn and not self._out and self._socket.fileno() >= 0:
            self._loop.remove_reader(self._socket)
            self._socket.close()

    def _receive(self) -> None:
        """Take what has come, some packets at most, so that a flood of them does not keep the loop."""
        for _ in range(16):
            try:
                packet = self._socket.recv(dns_message.UDP_LIMIT + 1)
            except BlockingIOError:
                return
            except OSError as error:  # the server's port is closed
                for _, answer in list(self._out.values()):
                    if not answer.done():
                        answer.set_exception(error)
                return
            self._deliver(packet)
            if self._socket.fileno() < 0:
                return

    def _deliver(self, packet: bytes) -> None:
        number = int.from_bytes(packet[:2], "big")
        asked, answer = self._out.get(number, (None, None))
        if asked is None or answer is None or answer.done() or len(packet) > dns_message.UDP_LIMIT:
            return
        if dns_message.is_answer(packet, number, asked):
            try:
                answer.set_result(self._read(packet, asked))
            except Truncated as truncated:
                answer.set_exception(truncated)


def _give_up(answer: asyncio.Future[Answer]) -> None:
    if not answer.done():
        answer.set_exception(TimeoutError())


class UdpPool:
    """Some sockets to one server, a random one for each question. read: an answer's packet -> the answer."""

    def __init__(self, loop: asyncio.AbstractEventLoop, server: tuple[str, int], read: Read) -> None:
        self._loop = loop
        self._server = server
        self._read = read
        self._exchanges: list[Exchange] = []

    async def ask(self, asked: Question, patience: float) -> Answer:
        """The answer to a question, asked on one of the sockets. Raises as Exchange.ask does."""
        index = random_number() % _SOCKETS
        if index >= len(self._exchanges):
            index = len(self._exchanges)
            self._exchanges.append(self._exchange())
        if self._exchanges[index].worn:
            self._exchanges[index].close_when_done()
            self._exchanges[index] = self._exchange()
        return await self._exchanges[index].ask(asked, patience)

    def _exchange(self) -> Exchange:
        return Exchange(self._loop, self._server, self._read)

    def close(self) -> None:
        """Close every socket, after the last answer."""
        for exchange in self._exchanges:
            exchange.close_when_done()


def _family(server: tuple[str, int]) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in server[0] else socket.AF_INET
