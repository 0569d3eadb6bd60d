"""A connected UDP socket to one name server, with many questions under way. Never judges an answer.

A socket, and with it a port, serves some questions for some seconds and is then replaced; ids are random and not
guessable; an answer counts only from the server that was asked, under an id that is out, with the very question
(RFC 5452). A socket on which something has failed, or on which no answer comes, is replaced too: the address or the
route of this host may have changed under it.

Questions that come in one turn of the loop leave together: a name server on the same machine then wakes for all of
them, and not for each, and its answers come together, too.
"""

import asyncio
import socket
import time
from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

from ...core.dns import message as dns_message
from ...core.dns.message import UNREACHABLE, Answer, Failed, Question, Truncated
from ...core.dns.servers import Server
from ..process.sockaddr import family, sockaddr
from .dns_reader import read
from .query_ids import random_number

#: There is an answer, but it did not fit: to be asked for over TCP.
TOO_LONG = Failed("truncated")

#: Queries, and seconds, after which a socket is replaced, and with it its port: it is to be hard to guess (RFC 5452,
#: 9.2), and is the less so the longer it is used.
_QUESTIONS, _SECONDS = 500, 10.0
#: Queries that leave together at most, and answers taken in one wake-up: what a name server has not read yet has to fit
#: into its socket. Together they made 3.2 times rblsmtpd's listed clients in a burst, one by one 2.4 times.
_TOGETHER = 32


class Query(Protocol):
    """What an exchange needs of a query. sent: monotonic second. tries: sockets on which it was to leave."""

    asked: Question
    sent: float
    tries: int


Q = TypeVar("Q", bound=Query)
#: callback(query, answer, monotonic second).
TellQuery = Callable[[Q, Answer, float], None]


class Exchange(Generic[Q]):
    """One socket and the queries that are out on it.

    callback: gets each query, once, with its answer (Found, Absent or Failed, which may be UNREACHABLE or TOO_LONG) and
    the monotonic second. again: gets what could not leave, to be asked on another socket. heard: the monotonic second
    of the last answer, 0 = none yet.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        server: Server,
        callback: TellQuery[Q],
        again: Callable[[Q], None],
    ) -> None:
        self._loop = loop
        self._callback = callback
        self._again = again
        self._socket = socket.socket(family(server.ip), socket.SOCK_DGRAM)
        try:
            self._socket.setblocking(False)
            self._socket.connect(sockaddr(*server))
        except OSError:
            self._socket.close()
            raise
        self._left = _QUESTIONS
        self._until = time.monotonic() + _SECONDS
        self._unsent: list[tuple[int, Q]] = []
        self._out: dict[int, Q] = {}
        self.heard = 0.0
        loop.add_reader(self._socket, self._receive)

    def is_worn(self, now: float) -> bool:
        """Whether the socket is to be replaced. now: second of the monotonic clock."""
        return self._left <= 0 or now >= self._until

    @property
    def is_collecting(self) -> bool:
        """Whether questions are about to leave, and more may go with them."""
        return bool(self._unsent)

    @property
    def is_idle(self) -> bool:
        """Whether nothing is out."""
        return not self._out

    def ask(self, query: Q) -> None:
        """Send a query at the end of this turn of the loop, together with others."""
        number = random_number()
        while number in self._out:
            number = random_number()
        self._left -= 1
        self._out[number] = query
        query.tries += 1
        if not self._unsent:
            self._loop.call_soon(self._send)
        self._unsent.append((number, query))
        if len(self._unsent) == _TOGETHER:
            self._send()

    def wear_out(self) -> None:
        """Have the socket replaced before the next query."""
        self._left = 0

    def forget(self, before: float) -> None:
        """Give up queries sent before a monotonic second."""
        for number in [number for number, query in self._out.items() if query.sent < before]:
            del self._out[number]

    def close_if_done(self) -> bool:
        """Close the socket unless an answer may come yet; whether it is closed."""
        if not self._out:
            self.close()
        return not self._out

    def close(self) -> None:
        """Close the socket now, whatever is out."""
        self._unsent, self._out = [], {}
        if self._socket.fileno() >= 0:
            self._loop.remove_reader(self._socket)
            self._socket.close()

    def _send(self) -> None:
        unsent, self._unsent = self._unsent, []
        for at, (number, query) in enumerate(unsent):
            try:
                self._socket.send(query.asked.packet(number))
            except BlockingIOError:
                pass  # as if it had been lost on its way
            except OSError:
                self.wear_out()
                # Later: no callback is called before ask() has returned.
                self._loop.call_soon(self._fail, [number for number, _ in unsent[at:]])
                return

    def _receive(self) -> None:
        """Receive as many packets as are awaited, 32 at most, so that no flood keeps the loop; then read them."""
        packets, failed = [], False
        for _ in range(min(_TOGETHER, len(self._out) or 1)):
            try:
                packets.append(self._socket.recv(dns_message.UDP_LIMIT + 1))
            except BlockingIOError:
                break
            except OSError:
                failed = True
                break
        now = time.monotonic()
        for packet in packets:
            self._deliver(packet, now)
        if failed:
            self._fail([number for number, _ in self._unsent])

    def _fail(self, unsent: list[int]) -> None:
        """Fail all queries: the port is closed or there is no route, which the system reports once for all of them.

        What was not sent leaves on another socket; what fails there, too, has failed.
        """
        now = time.monotonic()
        self.wear_out()
        self._unsent = []
        out, self._out = self._out, {}
        for number, query in out.items():
            if number in unsent and query.tries < 2:
                self._again(query)
            else:
                self._callback(query, UNREACHABLE, now)

    def _deliver(self, packet: bytes, now: float) -> None:
        number = int.from_bytes(packet[:2], "big")
        query = self._out.get(number)
        if query is None or len(packet) > dns_message.UDP_LIMIT:
            return
        if dns_message.is_answer(packet, number, query.asked):
            del self._out[number]
            self.heard = now
            try:
                answer = read(packet, query.asked)
            except Truncated:
                answer = TOO_LONG
            self._callback(query, answer, now)
