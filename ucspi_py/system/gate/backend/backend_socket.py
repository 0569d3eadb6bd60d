"""Our end of a socket to a backend, or to a milter, in a worker's loop: bytes out and in at any time."""

import asyncio
import socket
from collections import deque
from collections.abc import Callable
from itertools import islice

#: Bytes that are read at once; a reply is a line.
PIECE = 4096
#: Pieces in one system call.
_PIECES = 16


class BackendSocket:
    """Full duplex, from its making on.

    received: called with each piece that was read; with b"" once, at the end. on_room: called when there is room again
    after is_full, also because what waits was thrown away. piece: bytes that are read at once. waits_since: the second
    of the loop's clock since which the bytes that wait were not taken; None where none wait.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        connected: socket.socket,
        received: Callable[[bytes], None],
        on_room: Callable[[], None],
        piece: int = PIECE,
    ) -> None:
        self.waits_since: float | None = None
        self._loop = loop
        self._socket = connected
        self._received = received
        self._on_room = on_room
        self._piece = piece
        self._pieces: deque[memoryview] = deque()
        self._is_deaf = False
        self._is_watched = True
        self._emptied: asyncio.Future[None] | None = None
        loop.add_reader(connected, self.read)

    @property
    def is_full(self) -> bool:
        """Whether anything waits: no more is to be sent until all of it is taken. The kernel keeps 200 KB for us."""
        return self.waits_since is not None

    def send(self, data: bytes) -> None:
        """Send bytes, now or when there is room; thrown away where the backend takes nothing any more."""
        if self._is_deaf or not data:
            return
        left = len(data) - self._sent_at_once(data)
        if left and not self._is_deaf:
            self._pieces.append(memoryview(data)[-left:])
            if not self.is_full:
                self._loop.add_writer(self._socket, self._write)
                self.waits_since = self._loop.time()

    async def emptied(self) -> None:
        """Wait until nothing waits to be sent, or it is thrown away."""
        if self.is_full:
            self._emptied = self._loop.create_future()
            await self._emptied

    def drop(self) -> None:
        """Throw away what waits, and all that is sent from now on; what the backend says is still read."""
        self._is_deaf = True
        self._pieces.clear()
        self._all_sent()

    def finish(self) -> None:
        """Send and read no more: the backend reads the end behind what was sent."""
        self._watch_no_more()
        self._is_deaf = True
        try:
            self._socket.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # it is gone already

    def close(self) -> None:
        """Close at once, whatever waits."""
        if self._socket.fileno() >= 0:
            self._watch_no_more()
            self.drop()
            self._socket.close()
            # As in Stream.leave(): whoever was called has this.
            self._received, self._on_room = _ignore, _nothing

    def read(self) -> None:
        """Read what is there, if anything."""
        if self._socket.fileno() < 0:
            return
        try:
            data = self._socket.recv(self._piece, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._watch_no_more()
        self._received(data)

    def _watch_no_more(self) -> None:
        if self._is_watched:
            self._is_watched = False
            self._loop.remove_reader(self._socket)

    def _sent_at_once(self, data: bytes) -> int:
        """How much of what comes is taken at once; nothing where something waits before it."""
        if self.is_full:
            return 0
        try:
            return self._socket.send(data, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return 0
        except OSError:
            self.drop()
            return 0

    def _write(self) -> None:
        """Send as much as is taken of what waits; the rest when there is room."""
        try:
            sent = self._socket.sendmsg(list(islice(self._pieces, _PIECES)), (), socket.MSG_DONTWAIT)
        except BlockingIOError:
            sent = 0
        except OSError:
            self.drop()
            return
        self._remove(sent)
        if self._pieces:
            self.waits_since = self._loop.time()
        else:
            self._all_sent()

    def _remove(self, sent: int) -> None:
        """Remove bytes that were sent."""
        while sent:
            piece = self._pieces.popleft()
            if len(piece) > sent:
                self._pieces.appendleft(piece[sent:])
                return
            sent -= len(piece)

    def _all_sent(self) -> None:
        if not self.is_full:
            return
        self._loop.remove_writer(self._socket)
        self.waits_since = None
        if self._emptied and not self._emptied.done():
            self._emptied.set_result(None)
        self._on_room()


def _ignore(_data: bytes) -> None:
    """Who hears of a backend that was closed."""


def _nothing() -> None:
    """Who hears of its room."""
