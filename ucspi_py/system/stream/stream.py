"""The bytes of one connected socket, in and out, in a worker's loop. What they mean, whoever has the stream decides."""

import asyncio
import math
import socket
import time
from collections.abc import Callable, Collection
from typing import Protocol

from ..process.loop import add_bulk_reader
from ..process.timer import Timer

#: Bytes that are read at once, and in bulk. A large piece costs hardly more work than a small one; but from 128 KB on
#: malloc(3) handles it in another way, and a worker was seen to grow by twice as much.
PIECE, BULK = 4096, 120 * 1024

#: The last bytes wait for what follows them, which is the end: one packet for both.
_LAST = socket.MSG_DONTWAIT | getattr(socket, "MSG_MORE", 0)

#: Seconds between two looks for streams whose deadline is over: one timer for all of them.
_LOOKS = 0.25


#: Makes a client's stream of what Stream calls received and deadline.
Open = Callable[[Callable[["Stream", bytes], None], float], "Stream"]


class Stream:
    """Half duplex: while anything is unsent, nothing more is read, so that who does not read us costs no memory.

    A reader of its own for the whole time, not a coroutine's wait for each piece: half the work for each client.

    received: called with the stream and each piece that was read, which is never empty. deadline: the monotonic
    second from which Deadlines ends it. hung_up: called with the stream once the other side has said its last, which
    may still read; None = the stream is ended then. over: done when the other side has hung up or reset, when all was
    sent up to the last, or when the stream was ended.
    """

    __slots__ = (
        "_hung_up",
        "_is_bulk",
        "_last",
        "_loop",
        "_received",
        "_silent",
        "_unsent",
        "_watching",
        "deadline",
        "over",
        "socket",
    )

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        connected: socket.SocketType,
        received: Callable[["Stream", bytes], None],
        deadline: float = math.inf,
        hung_up: Callable[["Stream"], None] | None = None,
    ) -> None:
        self.over: asyncio.Future[None] = loop.create_future()
        self.socket = connected
        self.deadline = deadline
        self._loop = loop
        self._received = received
        self._hung_up = hung_up
        self._is_bulk = False
        self._unsent = b""
        self._last = False
        self._silent = False
        self._watching = False

    @property
    def is_sending(self) -> bool:
        """Whether something waits to be sent."""
        return bool(self._unsent)

    def waiting(self) -> bytes:
        """Read what has come already, a piece at most; b"" where nothing has."""
        try:
            return self.socket.recv(PIECE, socket.MSG_DONTWAIT)
        except OSError:
            return b""

    def read_in_bulk(self, is_bulk: bool) -> None:
        """Read large pieces from now on, but only when nobody else waits in this loop; or small ones, as at first."""
        if self._is_bulk != is_bulk:
            was_watching = self._watching
            self.pause()
            self._is_bulk = is_bulk
            if was_watching:
                self.begin()

    def begin(self) -> None:
        """Read from now on, or again after pause()."""
        if not (self._watching or self._silent or self._unsent):
            self._watching = True
            if self._is_bulk:
                add_bulk_reader(self._loop, self.socket, self._read)
            else:
                self._loop.add_reader(self.socket, self._read)

    def pause(self) -> None:
        """Read no more until begin() or until something that had to wait is sent."""
        if self._watching:
            self._watching = False
            self._loop.remove_reader(self.socket)

    def send(self, data: bytes, *, last: bool = False) -> None:
        """Send bytes as soon as there is room for them; nothing is read until they are on their way.

        last: hang up then, with the last bytes and the end in one packet.
        """
        if last:
            self._last = True
        if self._unsent:
            self._unsent += data
            return
        try:
            sent = self.socket.send(data, _LAST if self._last else socket.MSG_DONTWAIT) if data else 0
        except BlockingIOError:
            sent = 0
        except OSError:
            self.end()
            return
        if sent < len(data):
            self._unsent = data[sent:]
            self.pause()
            self._loop.add_writer(self.socket, self._send_the_rest)
        elif self._last:
            self._shut_down()

    def end(self) -> None:
        """End the stream now; what waits to be sent is not sent."""
        if not self.over.done():
            self.over.set_result(None)

    def leave(self) -> None:
        """Watch the socket no more. It is still to be closed by whoever has it."""
        self.pause()
        if self._unsent:
            self._loop.remove_writer(self.socket)
        # Whoever was called has the stream: a circle, which would wait for the garbage collector.
        self._received, self._hung_up = _nobody, None

    def _read(self) -> None:
        try:
            data = self.socket.recv(BULK if self._is_bulk else PIECE, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return
        except OSError:
            self.end()
            return
        if data:
            self._received(self, data)
        else:
            self._hear_the_last()

    def _hear_the_last(self) -> None:
        if self._hung_up is None:
            self.end()
        else:
            self.pause()
            self._silent = True
            self._hung_up(self)

    def _shut_down(self) -> None:
        """Not by closing alone: that drops what still waits to be sent, where the peer has sent more than we read."""
        try:
            self.socket.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # it is gone already
        self.end()

    def _send_the_rest(self) -> None:
        self._loop.remove_writer(self.socket)
        data, self._unsent = self._unsent, b""
        self.begin()
        Stream.send(self, data)  # in the form in which it had to wait


def _nobody(_stream: Stream, _data: bytes) -> None:
    """Who hears of a client that was left."""


class Limited(Protocol):
    """What has its time, as a stream. deadline: the monotonic second from which it is ended."""

    deadline: float

    def end(self) -> None:
        """End it now."""


class Deadlines:
    """Ends streams whose deadline is over, which may be noticed a quarter of a second late.

    streams: those that are looked at, as they are at each look.
    """

    def __init__(self, streams: Collection[Limited]) -> None:
        self._streams = streams
        self._timer = Timer(_LOOKS, self._look)

    def ask(self, loop: asyncio.AbstractEventLoop) -> None:
        """Begin to look; it goes on by itself for as long as there are streams. loop: theirs."""
        self._timer.ask(loop)

    def _look(self) -> None:
        now = time.monotonic()
        for stream in tuple(self._streams):  # one that ends may be none of them any more
            if stream.deadline <= now:
                stream.end()
        if self._streams:
            self._timer.ask(asyncio.get_running_loop())
