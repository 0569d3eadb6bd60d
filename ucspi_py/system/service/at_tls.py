"""One client of a worker that speaks TLS from its first byte: its handshake, and its program behind a pump.

The program has one end of a socketpair and knows nothing of TLS. Loaded only where a service has TLS.
"""

import asyncio
import math
import socket
import time
from contextlib import suppress
from functools import partial

from ...core.tls.environment import with_tls
from ...core.tls.settings import TlsSettings
from ..accept.socket_options import set_options
from ..stream.stream import Deadlines, Open
from ..tls.contexts import Contexts
from ..tls.handshake import HandshakeFailed, handshake
from ..tls.pump import Pump
from ..tls.session import TlsSession
from ..tls.tls_stream import TlsStream
from .at_gate import OwnBackends
from .context import Client, Service

#: Seconds that clients are left when their worker is relieved: they end with it.
_DRAIN = 3600.0


class AtTls:
    """All clients of one worker that speak TLS."""

    def __init__(self, settings: TlsSettings, contexts: Contexts) -> None:
        self._seconds = settings.handshake_seconds
        self._contexts = contexts
        self._pumps: set[Pump] = set()
        self._deadlines = Deadlines(self._pumps)
        self._last_second = math.inf

    async def secured(self, service: Service, client: Client) -> Client | None:
        """See Tls. Its environment says so, and until then it may be asked to leave for newcomers."""
        row = client.own_place.row
        set_options(service.settings, client.socket, client.connection.endpoints)
        service.held.hold(row, partial(_leave, client.socket))
        try:
            loop = asyncio.get_running_loop()
            session = await handshake(loop, client.socket, self._contexts.current, self._seconds)
        except HandshakeFailed as failed:
            service.held.forget(row)
            service.connection_log.unsecured(client.connection.endpoints, failed.reason)
            return None
        if not service.held.protect(row):
            return None
        connection = client.connection
        environment = with_tls(connection.environment, session.facts())
        return client._replace(connection=connection._replace(environment=environment), tls=session)

    def opening(self, session: TlsSession) -> Open:
        """See Tls."""
        return partial(TlsStream, asyncio.get_running_loop(), session)

    async def pump(self, service: Service, client: Client, session: TlsSession) -> None:
        """See Tls."""
        ours, theirs = socket.socketpair()
        backends = OwnBackends(service, client)
        pump = Pump(asyncio.get_running_loop(), session, ours)
        try:
            with theirs:
                started = await backends.start(client.connection.environment, theirs.fileno(), pump.note_status)
            if started is not None:
                await self._carry(pump)
        finally:
            backends.leave()
            pump.leave()
            ours.close()

    async def _carry(self, pump: Pump) -> None:
        pump.last_second = self._last_second
        self._pumps.add(pump)
        self._deadlines.ask(asyncio.get_running_loop())
        try:
            pump.begin()
            await pump.over
        finally:
            self._pumps.discard(pump)

    def drain(self) -> None:
        """Leave each client an hour."""
        self._last_second = time.monotonic() + _DRAIN
        for pump in self._pumps:
            pump.last_second = self._last_second
            pump.deadline = min(pump.deadline, self._last_second)


def _leave(client: socket.SocketType) -> None:
    with suppress(OSError):
        client.shutdown(socket.SHUT_RDWR)
