"""One DNS query over TCP (RFC 7766). Never judges an answer.

By callbacks, as all of the resolver: a stream and a task for each query would cost more than the query.
"""

import asyncio
import errno
import socket
from collections.abc import Callable

from ...core.dns import message as dns_message
from ...core.dns.message import UNREACHABLE, Answer, Question, Truncated
from ...core.dns.servers import Server
from ..process.sockaddr import family, sockaddr
from .dns_reader import read
from .query_ids import random_number

#: RFC 1035, 4.2.2: before a message stands its length.
_LENGTH = 2
#: Bytes read in one turn of the loop: any answer, with its length.
_AT_ONCE = 1 << 16


class TcpExchange:
    """Connects, sends a query, reads one answer of 64 KB at most, and closes. callback: gets the answer, once."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, server: Server, asked: Question, callback: Callable[[Answer], None]
    ) -> None:
        self._loop = loop
        self._asked = asked
        self._callback = callback
        self._number = random_number()
        self._read = bytearray()
        self._socket: socket.socket | None = None
        try:
            self._connect(server)
        except OSError:
            loop.call_soon(self._end, UNREACHABLE)

    def close(self) -> None:
        """Close the connection; the callback is not called any more."""
        if self._socket:
            self._loop.remove_writer(self._socket)
            self._loop.remove_reader(self._socket)
            self._socket.close()
            self._socket = None
        self._callback = _nobody

    def _connect(self, server: Server) -> None:
        self._socket = socket.socket(family(server.ip), socket.SOCK_STREAM)
        self._socket.setblocking(False)
        failure = self._socket.connect_ex(sockaddr(*server))
        if failure not in (0, errno.EINPROGRESS):
            raise OSError(failure, "connect")
        self._loop.add_writer(self._socket, self._send)

    def _send(self) -> None:
        """Send the query; only an error of that shows that the connection failed."""
        if self._socket:
            self._loop.remove_writer(self._socket)
            packet = self._asked.packet(self._number)
            try:
                self._socket.send(len(packet).to_bytes(_LENGTH, "big") + packet)
            except OSError:
                self._end(UNREACHABLE)
                return
            self._loop.add_reader(self._socket, self._receive)

    def _receive(self) -> None:
        """Read what is there; the rest is for the next turn of the loop."""
        if self._socket:
            try:
                data = self._socket.recv(_AT_ONCE)
            except BlockingIOError:
                return
            except OSError:
                data = b""
            self._read += data
            end = _LENGTH + int.from_bytes(self._read[:_LENGTH], "big")
            if len(self._read) >= end:
                self._end(self._answer(bytes(self._read[_LENGTH:end])))
            elif not data:
                self._end(UNREACHABLE)

    def _answer(self, packet: bytes) -> Answer:
        if not dns_message.is_answer(packet, self._number, self._asked):
            return dns_message.PROTOCOL_ERROR
        try:
            return read(packet, self._asked)
        except Truncated:
            return UNREACHABLE

    def _end(self, answer: Answer) -> None:
        callback = self._callback
        self.close()
        callback(answer)


def _nobody(_answer: Answer) -> None:
    """The callback of a closed exchange."""
