"""The handshake, carried on with a client until it is over, or has taken too long."""

import asyncio
import socket
import ssl
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from ...core.errors import error_words
from ..stream.stream import PIECE
from .context import reason
from .session import TlsSession

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
    session = TlsSession(context, client)
    try:
        async with asyncio.timeout(seconds):
            await _carry_on(loop, session)
    except TimeoutError:
        raise HandshakeFailed("timed out") from None
    except ssl.SSLError as error:
        with suppress(OSError):
            _send(client, session.output())  # an alert
        raise HandshakeFailed(reason(error)) from None
    except OSError as error:
        raise HandshakeFailed(error_words(error.errno)) from None
    return session


async def _carry_on(loop: asyncio.AbstractEventLoop, session: TlsSession) -> None:
    """Raises TimeoutError, OSError."""
    room = _LIMIT
    while True:
        is_over = session.shake_hands()
        await _send_all(loop, session.socket, session.output())
        if is_over:
            return
        data = await _receive(loop, session.socket)
        room -= len(data)
        if not data or room < 0:
            raise HandshakeFailed("sent too much" if data else "hung up")
        session.feed(data)


async def _receive(loop: asyncio.AbstractEventLoop, client: socket.SocketType) -> bytes:
    """What has come, at least one byte; b"" = it has hung up."""
    while True:
        try:
            return client.recv(PIECE, socket.MSG_DONTWAIT)
        except BlockingIOError:
            await _ready(client, loop.add_reader, loop.remove_reader)


async def _send_all(loop: asyncio.AbstractEventLoop, client: socket.SocketType, data: bytes) -> None:
    while data := data[_send(client, data) :]:
        await _ready(client, loop.add_writer, loop.remove_writer)


def _send(client: socket.SocketType, data: bytes) -> int:
    """How many bytes are on their way. Raises OSError."""
    try:
        return client.send(data, socket.MSG_DONTWAIT) if data else 0
    except BlockingIOError:
        return 0


async def _ready(
    client: socket.SocketType, watch: Callable[..., Any], unwatch: Callable[[socket.SocketType], Any]
) -> None:
    ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    watch(client, _note, ready)
    try:
        await ready
    finally:
        unwatch(client)


def _note(ready: asyncio.Future[None]) -> None:
    if not ready.done():
        ready.set_result(None)
