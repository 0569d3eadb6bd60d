"""Bytes on their way into one socket, as fast as they are taken. Never reads it."""

import asyncio
import socket
from collections.abc import Callable


class Outlet:
    """One direction.

    emptied: called when all that had to wait is on its way. failed: whether the other side takes nothing any more;
    then all is thrown away. finished: whether the end is on its way.
    """

    __slots__ = ("_emptied", "_is_ending", "_loop", "_socket", "_unsent", "failed", "finished")

    def __init__(
        self, loop: asyncio.AbstractEventLoop, connected: socket.SocketType, emptied: Callable[[], None]
    ) -> None:
        self.failed = self.finished = False
        self._loop = loop
        self._socket = connected
        self._emptied = emptied
        self._unsent = b""
        self._is_ending = False

    @property
    def waiting(self) -> int:
        """How many bytes had to wait."""
        return len(self._unsent)

    def send(self, data: bytes) -> None:
        """Send bytes as soon as there is room for them."""
        if self._unsent:
            self._unsent += data
        elif data and not self.failed:
            self._put(data)

    def finish(self) -> None:
        """Send the end, behind all that waits."""
        self._is_ending = True
        if not self._unsent and not self.finished:
            self._end()

    def leave(self) -> None:
        """Watch the socket no more."""
        if self._unsent:
            self._loop.remove_writer(self._socket)
            self._unsent = b""
        self._emptied = _nothing

    def _put(self, data: bytes) -> None:
        try:
            sent = self._socket.send(data, socket.MSG_DONTWAIT)
        except BlockingIOError:
            sent = 0
        except OSError:
            self.failed = True
            return
        if sent < len(data):
            self._unsent = data[sent:]
            self._loop.add_writer(self._socket, self._send_the_rest)

    def _send_the_rest(self) -> None:
        self._loop.remove_writer(self._socket)
        data, self._unsent = self._unsent, b""
        self._put(data)
        if not self._unsent:
            if self._is_ending:
                self._end()
            self._emptied()

    def _end(self) -> None:
        self.finished = True
        try:
            self._socket.shutdown(socket.SHUT_WR)
        except OSError:
            self.failed = True


def _nothing() -> None:
    """Whom the end of a wait concerns that was given up."""
