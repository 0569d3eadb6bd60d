"""What stands where the gate has sockets to backends and milters: whoever is at the other end is in this process."""

import asyncio
import socket
from collections.abc import Callable


class End:
    """As BackendSocket. What is told comes to told(); say() says something in the loop's next turn."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        connected: socket.socket,
        received: Callable[[bytes], None],
        _on_room: Callable[[], None],
        _piece: int = 0,
    ) -> None:
        self.waits_since: float | None = None
        self.is_full = False
        self.is_open = True
        self._loop = loop
        self._socket = connected
        self._received = received

    def told(self, data: bytes) -> None:
        """Hear of something."""

    def say(self, data: bytes) -> None:
        """Say something; b"" hangs up."""
        self._loop.call_soon(self._say, data)

    def send(self, data: bytes) -> None:
        """See BackendSocket."""
        if self.is_open and data:
            self.told(data)

    async def emptied(self) -> None:
        """See BackendSocket."""

    def read(self) -> None:
        """See BackendSocket."""

    def drop(self) -> None:
        """See BackendSocket."""

    def finish(self) -> None:
        """See BackendSocket."""
        self.close()

    def close(self) -> None:
        """See BackendSocket."""
        self.is_open = False
        self._socket.close()

    def _say(self, data: bytes) -> None:
        if self.is_open:
            self._received(data)


class ObligingEnd(End):
    """A backend that takes everything."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        connected: socket.socket,
        received: Callable[[bytes], None],
        on_room: Callable[[], None],
    ) -> None:
        super().__init__(loop, connected, received, on_room)
        self._heard = b""
        self._recipients: list[bytes] = []
        self._in_content = False
        self.say(b"220 here\r\n")

    def take(self, recipients: list[bytes], content: bytes) -> None:
        """Take a message. recipients: what stands behind RCPT. content: framed."""

    def told(self, data: bytes) -> None:
        """Hear of commands and of content."""
        self._heard += data
        end = b"\r\n.\r\n" if self._in_content else b"\r\n"
        while end in self._heard:
            said, _, self._heard = self._heard.partition(end)
            if self._in_content:
                self._in_content = False
                self.take(self._recipients, said + b"\r\n")
                self.say(b"250 queued\r\n")
            else:
                self._hear(said)
            end = b"\r\n.\r\n" if self._in_content else b"\r\n"

    def _hear(self, command: bytes) -> None:
        verb, _, argument = command.partition(b" ")
        assert verb in (b"HELO", b"EHLO", b"MAIL", b"RCPT", b"DATA", b"RSET", b"QUIT"), command
        if verb == b"RCPT":
            self._recipients.append(argument)
        elif verb != b"DATA":
            self._recipients = []
        self._in_content = verb == b"DATA"
        self.say(b"354 go\r\n" if self._in_content else b"250 ok\r\n")
