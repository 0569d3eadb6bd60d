"""One client of a worker that speaks TLS, from its first byte or when its program asks for it (UCSPI-TLS).

The program has one end of a socketpair and knows nothing of TLS. Loaded only where a service has TLS.
"""

import asyncio
import socket
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from functools import partial

from ...core.client.connection import Endpoints
from ...core.tls import environment, ucspi
from ..accept.socket_options import set_options
from ..refuse.held import Held
from ..stream.stream import Deadlines, Open, Stream
from ..tls.handshake import TIMED_OUT, Handshake, HandshakeFailed, handshake
from ..tls.pump import Pump
from ..tls.pumps import Pumps
from ..tls.session import TlsSession
from ..tls.tls_stream import TlsStream
from .at_gate import OwnBackends
from .context import Client, Service
from .shared import SharedTls

#: Seconds after which a client that is still shaking hands may be asked to leave for newcomers.
_PATIENCE = 1.0


class FromTheFirstByte:
    """All clients of one worker. See Tls, for its methods, too."""

    def __init__(self, shared: SharedTls) -> None:
        self._shared = shared
        self._pumps = Pumps()
        self.drain = self._pumps.drain
        self._hasty: dict[_Exposure, None] = {}  # the oldest first
        self._looks = Deadlines(self._hasty)

    async def secured(self, service: Service, client: Client) -> Client | None:
        """See Tls. A client that takes its time may be asked to leave for newcomers."""
        handshaking = Handshake(asyncio.get_running_loop(), client.socket, self._shared.contexts.current)
        exposure = _Exposure(service.held, client, handshaking, self._shared.settings.handshake_seconds)
        self._hasty[exposure] = None
        self._looks.ask(asyncio.get_running_loop())
        try:
            session = await handshaking.done()
        except HandshakeFailed as failed:
            service.connection_log.unsecured(client.connection.endpoints, failed.reason)
            return None
        finally:
            self._hasty.pop(exposure, None)
            may_stay = exposure.has_passed()
        if not may_stay:
            return None
        if service.gate is None:  # which tells it itself
            environment.tell(client.connection.environment, session.facts())
        return client._replace(tls=session)

    def opening(self, client: Client) -> Open:
        """See Tls."""
        return partial(TlsStream, asyncio.get_running_loop(), _session(client))

    async def run(self, service: Service, client: Client) -> None:
        """See Tls."""
        set_options(service.settings, client.socket, client.connection.endpoints)
        backends = OwnBackends(service, client)
        ours, theirs = socket.socketpair()
        pump = Pump(asyncio.get_running_loop(), _session(client), ours)
        with ours:
            try:
                with theirs:
                    fd, told = theirs.fileno(), client.connection.environment
                    started = await backends.start(told, fd, pump.note_status)
                if started is not None:
                    await self._pumps.carry(pump)
            finally:
                backends.leave()


class OnRequest:
    """As FromTheFirstByte, where programs speak with clients themselves and ask for TLS when these do."""

    def __init__(self, shared: SharedTls) -> None:
        self._shared = shared
        self._pumps = Pumps()
        self.drain = self._pumps.drain

    async def secured(self, _service: Service, client: Client) -> Client | None:
        """See Tls: nothing has begun yet."""
        connection = client.connection
        return client._replace(connection=connection._replace(environment=ucspi.offered(connection.environment)))

    def opening(self, client: Client) -> Open:
        """See Tls."""
        return partial(Stream, asyncio.get_running_loop(), client.socket)

    async def run(self, service: Service, client: Client) -> None:
        """See Tls. Nothing is read of the client until the program asks for it."""
        endpoints = client.connection.endpoints
        set_options(service.settings, client.socket, endpoints)
        backends = OwnBackends(service, client)
        ours = _Pairs()
        try:
            if await ours.given_to(backends, client):
                await self._serve(service, endpoints, client.socket, ours)
        finally:
            backends.leave()
            ours.close()

    async def _serve(self, service: Service, endpoints: Endpoints, client: socket.SocketType, ours: "_Pairs") -> None:
        asked = await ours.asked()
        if asked not in ucspi.ASKS:
            return
        try:
            session = await self._shake_hands(client)
        except HandshakeFailed as failed:
            service.connection_log.unsecured(endpoints, failed.reason, has_program=True)
            return
        if asked == ucspi.ASKS_TO_BE_TOLD:
            ours.tell(ucspi.told(session.facts()))
        pump = Pump(asyncio.get_running_loop(), session, ours.data)
        ours.on_end = pump.note_status
        await self._pumps.carry(pump)

    async def _shake_hands(self, client: socket.SocketType) -> TlsSession:
        context, seconds = self._shared.contexts.current, self._shared.settings.handshake_seconds
        return await handshake(asyncio.get_running_loop(), client, context, seconds)


class _Pairs:
    """Both socketpairs of a program that may ask for TLS. on_end: called with its status."""

    def __init__(self) -> None:
        self._control, self._their_control = socket.socketpair()
        self.data, self._their_data = socket.socketpair()
        self.on_end: Callable[[int], None] = _ignore

    async def given_to(self, backends: OwnBackends, client: Client) -> bool:
        """Start the client's program with them; False where that fails."""
        theirs = (self._their_control, self._their_data)
        with ExitStack() as stack:
            more = tuple(stack.enter_context(one).fileno() for one in theirs)
            told = client.connection.environment
            return await backends.start(told, client.socket.fileno(), self._end, more) is not None

    async def asked(self) -> bytes:
        """Wait for the first byte on the control socket; b"" where the program has closed it."""
        said = []

        def note(stream: Stream, data: bytes) -> None:
            said.append(data[:1])
            stream.end()

        stream = Stream(asyncio.get_running_loop(), self._control, note)
        try:
            stream.begin()
            await stream.over
        finally:
            stream.leave()
        return b"".join(said)

    def tell(self, words: bytes) -> None:
        """Write to the control socket, which has room for it."""
        with suppress(OSError):
            self._control.send(words, socket.MSG_DONTWAIT)

    def close(self) -> None:
        self._control.close()
        self.data.close()

    def _end(self, wait_status: int) -> None:
        self.on_end(wait_status)


class _Exposure:
    """A client that shakes hands: from its first deadline on it may be asked to leave for newcomers, at its last it is.

    Both by the looks at all of them: a timer for each costs more, and most are through long before. seconds: for all.
    """

    __slots__ = ("_client", "_handshaking", "_held", "_is_held", "_last_second", "deadline")

    def __init__(self, held: Held, client: Client, handshaking: Handshake, seconds: float) -> None:
        now = time.monotonic()
        self.deadline = now + min(_PATIENCE, seconds)
        self._last_second = now + seconds
        self._held = held
        self._client = client
        self._handshaking = handshaking
        self._is_held = False

    def end(self) -> None:
        """Have it stand among those that may be asked to leave, or fail where its time is over."""
        if self._is_held:
            self._handshaking.fail(TIMED_OUT)
            return
        self._is_held = True
        self.deadline = self._last_second
        self._held.hold(self._client.own_place.row, partial(_hang_up, self._client.socket))

    def has_passed(self) -> bool:
        """Whether it may stay: it has not stood there, or nobody has asked it to leave yet, and nobody will."""
        return not self._is_held or self._held.protect(self._client.own_place.row)


def _session(client: Client) -> TlsSession:
    if client.tls is None:
        raise RuntimeError("a client without TLS")
    return client.tls


def _hang_up(client: socket.SocketType) -> None:
    with suppress(OSError):
        client.shutdown(socket.SHUT_RDWR)


def _ignore(_wait_status: int) -> None:
    """Whom the end of a program concerns that has not asked for anything."""
