"""A client's TLS on one side, a program that knows nothing of it on the other. Never looks at what they say.

Full duplex, as both know it: each may say its last and be told more. While one does not take what the other has said,
the other is not read, so that 64 KB wait at most each way.
"""

import asyncio
import math
import select
import socket
import time
from collections.abc import Callable

from ..process.loop import add_bulk_reader
from ..stream.outlet import Outlet
from .bulk import AT_ONCE, BULK, MOST, with_more
from .session import TlsSession

#: Seconds without a byte until both are left: qmail's timeoutsmtpd.
_IDLE = 1200.0
#: A client that has us answer new keys, and does not read, is left.
_TOO_MUCH = 4 * BULK


class Pump:
    """One client and its program.

    over: done when all is said. deadline: the monotonic second from which nobody waits for another byte. last_second:
    beyond which no byte moves the deadline.
    """

    __slots__ = (
        "_client_ended",
        "_is_reading",
        "_loop",
        "_program",
        "_program_ended",
        "_session",
        "_to_client",
        "_to_program",
        "deadline",
        "last_second",
        "over",
    )

    def __init__(self, loop: asyncio.AbstractEventLoop, session: TlsSession, program: socket.SocketType) -> None:
        self.over: asyncio.Future[None] = loop.create_future()
        self.last_second = self.deadline = math.inf
        self._loop = loop
        self._session = session
        self._program = program
        self._to_client = Outlet(loop, session.socket, self._carry_on)
        self._to_program = Outlet(loop, program, self._carry_on)
        self._client_ended = self._program_ended = False
        self._is_reading: set[socket.SocketType] = set()

    def begin(self) -> None:
        """Begin, with what the client has said already."""
        self._note_life()
        if self._session.holds_input:
            self._pass_to_program()
        self._carry_on()

    def end(self) -> None:
        """Be done with both now."""
        if not self.over.done():
            self.over.set_result(None)

    def note_status(self, _status: int) -> None:
        """Note that the program has ended; it may have left others that speak with the client. _status: any."""
        if self._program_ended:
            self._to_program.failed = True
            self._carry_on()

    def leave(self) -> None:
        """Watch no socket any more; they are still to be closed."""
        for watched in self._is_reading:
            self._loop.remove_reader(watched)
        self._is_reading.clear()
        self._to_client.leave()
        self._to_program.leave()

    def _carry_on(self) -> None:
        """Read whom there is room for, and nobody else; be done when there is nobody."""
        hears_client = not (self._client_ended or self._to_program.failed)
        self._read(self._session.socket, self._hear_client, hears_client and not self._to_program.waiting)
        self._read(self._program, self._hear_program, not (self._program_ended or self._to_client.waiting))
        if self._program_ended and not (hears_client or self._to_client.waiting or self._to_program.waiting):
            self.end()

    def _read(self, watched: socket.SocketType, call: Callable[[], None], wanted: bool) -> None:
        if wanted and watched not in self._is_reading:
            self._is_reading.add(watched)
            add_bulk_reader(self._loop, watched, call)
        elif not wanted and watched in self._is_reading:
            self._is_reading.remove(watched)
            self._loop.remove_reader(watched)

    def _hear_client(self) -> None:
        try:
            data = self._session.socket.recv(AT_ONCE, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        self._note_life()
        self._session.feed(data)
        self._pass_to_program()
        self._carry_on()

    def _pass_to_program(self) -> None:
        self._to_program.send(self._said())
        self._to_client.send(self._session.output())
        if self._to_client.waiting > _TOO_MUCH:
            self.end()
        elif self._session.is_over:
            self._client_ended = True
            self._to_program.finish()

    def _said(self) -> bytes:
        """What the client has said; whatever is wrong, it is not understood any more."""
        try:
            said = self._session.read(MOST)
        except OSError:
            return b""
        return with_more(self._session, said) if said else b""

    def _hear_program(self) -> None:
        try:
            data = self._program.recv(BULK, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        self._note_life()
        if data:
            self._pass_to_client(data)
        else:
            self._program_ended = True
            self._to_program.failed = self._to_program.failed or _is_closed(self._program)
            self._session.close()
            self._to_client.send(self._session.output())
            self._to_client.finish()
        self._carry_on()

    def _pass_to_client(self, data: bytes) -> None:
        """What the client does not take is thrown away, and the program goes on reading, as from a socket."""
        try:
            self._session.write(data)
        except OSError:
            self._to_client.failed = True
        self._to_client.send(self._session.output())

    def _note_life(self) -> None:
        self.deadline = min(time.monotonic() + _IDLE, self.last_second)


def _is_closed(other: socket.SocketType) -> bool:
    """Whether nobody is at the other end any more; otherwise it has said its last, and may listen still."""
    poll = select.poll()
    poll.register(other, 0)
    return any(event & (select.POLLHUP | select.POLLERR) for _, event in poll.poll(0))
