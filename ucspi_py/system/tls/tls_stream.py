"""A client's stream through TLS: a Stream whose bytes are kept from everybody else."""

import asyncio
import math
import socket
import time
from collections.abc import Callable

from ..stream.stream import PIECE, Stream
from .bulk import AT_ONCE, MOST, with_more
from .session import TlsSession

#: Seconds of the processor after which a client's piece has taken too long to be read before those of others.
_TOO_LONG = 0.001


class TlsStream(Stream):
    """As Stream, which has its rules: half duplex, nothing is read while anything is unsent.

    The end of what the other side says is its close_notify, or its hanging up without one. deadline: as Stream's.
    """

    __slots__ = ("_has_more", "_is_costly", "_session")

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        session: TlsSession,
        received: Callable[[Stream, bytes], None],
        deadline: float = math.inf,
        hung_up: Callable[[Stream], None] | None = None,
    ) -> None:
        super().__init__(loop, session.socket, received, deadline, hung_up)
        self._session = session
        self._is_costly = False
        # Behind its last word of the handshake a client may have said more.
        self._has_more = session.holds_input

    def waiting(self) -> bytes:
        """See Stream."""
        try:
            self._session.feed(self.socket.recv(PIECE, socket.MSG_DONTWAIT))
            self._has_more = True
        except OSError:
            pass  # nothing has come, or it is found out again
        try:
            return (self._session.read(PIECE) or b"") if self._has_more else b""
        except OSError:
            return b""

    def read_in_bulk(self, is_bulk: bool) -> None:
        """See Stream. Whoever has had us work for long, as one who makes new keys all the time, waits behind others."""
        super().read_in_bulk(is_bulk or self._is_costly)

    def begin(self) -> None:
        """See Stream."""
        was_watching = self._watching
        super().begin()
        if self._has_more and self._watching and not was_watching:
            self._loop.call_soon(self._go_on)

    def send(self, data: bytes, *, last: bool = False) -> None:
        """See Stream."""
        try:
            self._session.write(data)
        except OSError:
            self.end()
            return
        if last:
            self._session.close()
        super().send(self._session.output(), last=last)

    def _read(self) -> None:
        try:
            data = self.socket.recv(AT_ONCE if self._is_bulk else PIECE, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return
        except OSError:
            self.end()
            return
        self._session.feed(data)
        self._has_more = True
        self._go_on()

    def _go_on(self) -> None:
        """Hand on what was fed, until there is no more of it, or nobody wants more."""
        while self._has_more and self._watching and not self.over.done():
            try:
                said = self._said()
            except OSError:
                self._has_more = False
                self._say_what_openssl_says()
                self.end()
                return
            if said:
                self._received(self, said)
            else:
                self._has_more = False
                self._say_what_openssl_says()
                if said is None:
                    self._hear_the_last()

    def _said(self) -> bytes | None:
        """What was said in what was fed, and in bulk what follows it. Raises OSError."""
        if self._is_bulk:
            said = self._session.read(MOST)
            return with_more(self._session, said) if said else said
        begun = time.thread_time()
        said = self._session.read(PIECE)
        if time.thread_time() - begun >= _TOO_LONG:
            self._is_costly = True
            self.read_in_bulk(True)
        return said

    def _say_what_openssl_says(self) -> None:
        """A new key, or an alert."""
        output = self._session.output()
        if output:
            super().send(output)
