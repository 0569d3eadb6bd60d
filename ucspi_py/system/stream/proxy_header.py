"""The header that a proxy writes before all that its client says (PROXY protocol). Never reads a byte beyond it.

They are looked at where they lie, until all are there: what follows is for TLS, or for whoever has the socket next.
"""

import asyncio
import select
import socket
import time

from ...core.client.proxy.header import FIRST, Flaw, Header, More
from ...core.client.proxy.parse import parse
from .stream import Deadlines

#: Seconds for the whole header (proxy-protocol.txt, 2: at least 3; Postfix has 5).
_PATIENCE = 5.0

_PEEK = socket.MSG_PEEK | socket.MSG_DONTWAIT
_HUNG_UP = getattr(select, "POLLRDHUP", 0)


def header_of(connection: socket.SocketType) -> Header | None:
    """Read the header of a connection, if all of it is there, and nothing else; None = a Look tells what there is."""
    try:
        found = parse(connection.recv(FIRST, _PEEK))
    except OSError:
        return None
    return found if isinstance(found, Header) and _consume(connection, found.length) else None


def _consume(connection: socket.SocketType, length: int) -> bool:
    """Read so many bytes that are there."""
    try:
        return len(connection.recv(length, socket.MSG_DONTWAIT)) == length
    except OSError:
        return False


class Headers:
    """Those that one process waits for.

    limit: how many it waits for at once. is_full: whether it waits for so many, and no other is to be waited for.
    """

    def __init__(self, limit: int) -> None:
        self.is_full = limit == 0
        self._limit = limit
        self._awaited: dict[_Awaited, None] = {}
        self._deadlines = Deadlines(self._awaited)

    def __len__(self) -> int:
        """Their number."""
        return len(self._awaited)

    async def wait_for(self, look: "Look") -> Header | Flaw:
        """Wait for the header of a connection that is not all there yet."""
        loop = asyncio.get_running_loop()
        awaited = _Awaited(loop, look)
        self._awaited[awaited] = None
        self._count()
        self._deadlines.ask(loop)
        try:
            loop.add_reader(look.connection, awaited.look)
            return await awaited.found
        finally:
            del self._awaited[awaited]
            self._count()
            loop.remove_reader(look.connection)
            look.wake_at(1)

    def _count(self) -> None:
        self.is_full = len(self._awaited) >= self._limit


class Look:
    """What has come of the header of one connection."""

    __slots__ = ("_limit", "_lowest", "_seen", "connection")

    def __init__(self, connection: socket.SocketType) -> None:
        self.connection = connection
        self._limit = FIRST
        self._seen = 0
        self._lowest = 1

    def again(self) -> Header | More | Flaw:
        """Look at all that is there now. Where that is the header, it is read, and nothing else."""
        found = self._peek()
        if isinstance(found, Header):
            return found if _consume(self.connection, found.length) else Flaw("a header that cannot be read")
        return found

    def _peek(self) -> Header | More | Flaw:
        while True:
            try:
                data = self.connection.recv(self._limit, _PEEK)
            except BlockingIOError:
                return More(self._limit)
            except OSError:
                return Flaw("gone before its header")
            if len(data) <= self._seen:
                return self._without_news(data)
            found = parse(data)
            if not isinstance(found, More):
                return found
            is_all = len(data) < self._limit
            self._seen, self._limit = len(data), found.limit
            if is_all:
                self.wake_at(self._seen + 1)
                return found

    def wake_at(self, lowest: int) -> None:
        """Be woken by bytes to come from now on: epoll(7) would tell of those that lie there, again and again.

        lowest: by how many that are there then (SO_RCVLOWAT).
        """
        if lowest != self._lowest:
            self._lowest = lowest
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, lowest)

    def _without_news(self, data: bytes) -> More | Flaw:
        """Linux that is short of memory wakes us for nothing (tcp_stream_is_readable)."""
        if data and _HUNG_UP:
            poll = select.poll()
            poll.register(self.connection, _HUNG_UP)
            if not poll.poll(0):
                return More(self._limit)
        return Flaw("gone before the end of its header" if data else "gone before its header")


class _Awaited:
    """A header that is waited for. deadline: the monotonic second from which it is no longer."""

    def __init__(self, loop: asyncio.AbstractEventLoop, look: Look) -> None:
        self.found: asyncio.Future[Header | Flaw] = loop.create_future()
        self.deadline = time.monotonic() + _PATIENCE
        self._look = look

    def look(self) -> None:
        found = self._look.again()
        if not isinstance(found, More):
            self._tell(found)

    def end(self) -> None:
        """See Limited."""
        self._tell(Flaw("no header in time"))

    def _tell(self, found: Header | Flaw) -> None:
        if not self.found.done():
            self.found.set_result(found)
