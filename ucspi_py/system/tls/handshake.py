"""The handshake, carried on with a client until it is over, or has taken too long."""

import asyncio
import socket
import ssl
from contextlib import suppress

from ...core.errors import error_words
from ..process.loop import add_bulk_reader
from ..stream.stream import PIECE
from .context import reason
from .session import TlsSession

#: Why one fails that has taken too long.
TIMED_OUT = "timed out"

#: Bytes that a client may send in its handshake; OpenSSL takes certificates of 100 KB.
_LIMIT = 262144


class HandshakeFailed(Exception):
    """A client with which no TLS can be spoken. reason: for the log, in our words or OpenSSL's."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


async def handshake(
    loop: asyncio.AbstractEventLoop, client: socket.SocketType, context: ssl.SSLContext, seconds: float
) -> TlsSession:
    """Shake hands with a client -> its session. Raises HandshakeFailed.

    client: its socket, which nobody watches, and which may block. seconds: for all of it.
    """
    handshaking = Handshake(loop, client, context)
    timer = loop.call_later(seconds, handshaking.fail, TIMED_OUT)
    try:
        return await handshaking.done()
    finally:
        timer.cancel()


class Handshake:
    """One handshake, carried on by the loop's calls: a task that is woken for each step costs half as much again.

    loop, client, context: as handshake() has them; its time is up to whoever has it. _over: why it has failed, None =
    it has not. An exception there would have the frame that has us: a circle.
    """

    __slots__ = ("_loop", "_over", "_room", "_session", "_unsent")

    def __init__(self, loop: asyncio.AbstractEventLoop, client: socket.SocketType, context: ssl.SSLContext) -> None:
        self._over: asyncio.Future[str | None] = loop.create_future()
        self._loop = loop
        self._session = TlsSession(context, client)
        self._room = _LIMIT
        self._unsent = b""

    async def done(self) -> TlsSession:
        """Carry it on to its end. Raises HandshakeFailed."""
        try:
            self._begin()
            flaw = await self._over
        finally:
            self._leave()
        if flaw is not None:
            raise HandshakeFailed(flaw)
        return self._session

    def fail(self, why: str) -> None:
        """End it, unless it is over. why: for the log."""
        if not self._over.done():
            self._over.set_result(why)

    def _begin(self) -> None:
        """Behind all else that is ready: a signature by a key of RSA may take as long as many a session."""
        add_bulk_reader(self._loop, self._session.socket, self._read)

    def _leave(self) -> None:
        self._loop.remove_reader(self._session.socket)
        if self._unsent:
            self._loop.remove_writer(self._session.socket)

    def _read(self) -> None:
        try:
            data = self._session.socket.recv(PIECE, socket.MSG_DONTWAIT)
            self._room -= len(data)
            if data and self._room >= 0:
                self._session.feed(data)
                self._carry_on()
            else:
                self.fail("sent too much" if data else "hung up")
        except BlockingIOError:
            pass
        except ssl.SSLError as error:
            with suppress(OSError):
                self._send(self._session.output())  # an alert
            self.fail(reason(error))
        except OSError as error:
            self.fail(error_words(error.errno))

    def _carry_on(self) -> None:
        is_over = self._session.shake_hands()
        self._unsent = self._send(self._session.output())
        if self._unsent:
            self._loop.remove_reader(self._session.socket)
            self._loop.add_writer(self._session.socket, self._send_the_rest, is_over)
        elif is_over:
            self._finish()

    def _send_the_rest(self, is_over: bool) -> None:
        try:
            self._unsent = self._send(self._unsent)
        except OSError as error:
            self.fail(error_words(error.errno))
            return
        if not self._unsent:
            self._loop.remove_writer(self._session.socket)
            if is_over:
                self._finish()
            else:
                self._begin()

    def _send(self, data: bytes) -> bytes:
        """What there is no room for. Raises OSError."""
        try:
            return data[self._session.socket.send(data, socket.MSG_DONTWAIT) :] if data else b""
        except BlockingIOError:
            return data

    def _finish(self) -> None:
        _acknowledge_now(self._session.socket)
        if not self._over.done():
            self._over.set_result(None)


def _acknowledge_now(client: socket.SocketType) -> None:
    """Acknowledge the client's last word of the handshake: with Nagle's algorithm (RFC 896) it says nothing before.

    Linux would put that off for 40 ms, as it waits for something to send (tcp(7), TCP_QUICKACK).
    """
    if hasattr(socket, "TCP_QUICKACK"):
        with suppress(OSError):
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
