"""One connection to Dovecot's authentication. Never opened again when it is lost."""

import asyncio
import secrets
import socket
from collections.abc import Callable

from ...core.auth.answer import Answer
from ...core.auth.credentials import Credentials, Peer
from ...core.auth.dovecot import DovecotClient, NotDovecot
from ...core.auth.place import Place
from .daemon_socket import connecting, trouble

#: Bytes read in one turn of the loop.
_AT_ONCE = 1 << 14
#: Bytes that may wait to be sent; a Dovecot that reads nothing is asked nothing more.
_WAITING = 1 << 18
#: Dovecot knows its clients by numbers of 32 bits. Their process ids would do, but that those of containers are equal.
_NUMBERS = (1 << 31) - 1

Mechanisms = tuple[bytes, ...]


class DovecotConnection:
    """A connection that is being made. Raises OSError.

    service: smtp, as Dovecot knows it. greeted: is called once it may be asked, with the mechanisms that may be used.
    lost: is called once it is over, with the reason; not after close() or leave().
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        place: Place,
        service: bytes,
        greeted: Callable[[Mechanisms], None],
        lost: Callable[[str], None],
    ) -> None:
        self._loop = loop
        self._place = place
        self._greeted = greeted
        self._lost = lost
        self._client = DovecotClient(1 + secrets.randbelow(_NUMBERS), service)
        self._pending: dict[int, asyncio.Future[Answer | None]] = {}
        self._is_left = False
        self._output = bytearray(self._client.hello())
        self._socket: socket.socket | None = connecting(place)
        loop.add_reader(self._socket, self._receive)
        loop.add_writer(self._socket, self._flush)

    async def ask(self, credentials: Credentials, peer: Peer) -> Answer | None:
        """Ask; None = the connection was lost, and another one may be asked. Only with one of the mechanisms."""
        number, question = self._client.ask(credentials, peer)
        answered: asyncio.Future[Answer | None] = self._loop.create_future()
        self._pending[number] = answered
        try:
            self._send(question)
            return await answered
        finally:
            del self._pending[number]
            self._send(self._client.forget(number))
            if self._is_left and not self._pending:
                self.close()

    def leave(self) -> None:
        """End it as soon as each question is answered; nothing more may be asked."""
        self._is_left = True
        if not self._pending:
            self.close()

    def close(self) -> None:
        """End it; whoever waits for an answer gets None."""
        if self._socket is None:
            return
        self._loop.remove_reader(self._socket)
        self._loop.remove_writer(self._socket)
        self._socket.close()
        self._socket = None
        for answered in self._pending.values():
            if not answered.done():
                answered.set_result(None)

    def _send(self, data: bytes) -> None:
        if self._socket is None or not data:
            return
        self._output += data
        if len(self._output) > _WAITING:
            self._end(f"{self._place} takes no more questions")
        else:
            self._loop.add_writer(self._socket, self._flush)

    def _flush(self) -> None:
        if self._socket is None:
            return
        try:
            del self._output[: self._socket.send(self._output)]
        except BlockingIOError:
            return
        except OSError as error:
            self._end(trouble(self._place, error))
            return
        if not self._output:
            self._loop.remove_writer(self._socket)

    def _receive(self) -> None:
        if self._socket is None:
            return
        try:
            data = self._socket.recv(_AT_ONCE)
        except BlockingIOError:
            return
        except OSError as error:
            self._end(trouble(self._place, error))
            return
        if data:
            self._take(data)
        else:
            self._end(f"{self._place} has closed the connection")

    def _take(self, data: bytes) -> None:
        was_ready = self._client.ready
        try:
            for number, answer in self._client.receive(data):
                self._deliver(number, answer)
        except NotDovecot as failure:
            self._end(f"{self._place}: {failure.sentence}")
            return
        if self._client.ready and not was_ready:
            self._greeted(self._client.mechanisms)

    def _deliver(self, number: int, answer: Answer | bytes) -> None:
        if isinstance(answer, bytes):
            self._send(answer)
        elif not self._pending[number].done():
            self._pending[number].set_result(answer)

    def _end(self, reason: str) -> None:
        self.close()
        if not self._is_left:
            self._lost(reason)
