"""Handshakes of TLS that are counted, wherever they begin. Never shakes hands itself."""

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager

from ....core.gate.tls.settings import GateTls
from ....core.metrics.names import TLS_HANDSHAKES, TLS_SECONDS
from ...gate.tls.starttls import ShakeHands, StartTls
from ...metrics.counters import Column
from ...tls.contexts import Contexts
from ...tls.session import TlsSession
from ..at_tls import FromTheFirstByte, OnRequest
from ..context import Client, Service
from ..shared import SharedTls


class _Counting:
    """A handshake that is carried on. session: it, once it is done; None = it has failed, or is not done."""

    session: TlsSession | None = None


class Handshakes:
    """Counts handshakes in a column."""

    def __init__(self, column: Column) -> None:
        self._column = column

    @contextmanager
    def one(self) -> Iterator[_Counting]:
        """Count what is carried on meanwhile, however it ends."""
        began, counting = time.monotonic(), _Counting()
        try:
            yield counting
        finally:
            version = counting.session.facts().protocol.decode("ascii") if counting.session else "none"
            self._column.count(TLS_HANDSHAKES.cell(version))
            self._column.observe(TLS_SECONDS, time.monotonic() - began)


class CountedFromTheFirstByte(FromTheFirstByte):
    """See FromTheFirstByte. handshakes: counts them."""

    def __init__(self, shared: SharedTls, handshakes: Handshakes) -> None:
        super().__init__(shared)
        self._handshakes = handshakes

    async def secured(self, service: Service, client: Client) -> Client | None:
        """Count it."""
        with self._handshakes.one() as counting:
            found = await super().secured(service, client)
            counting.session = found.tls if found else None
        return found


class CountedOnRequest(OnRequest):
    """See OnRequest. handshakes: counts them."""

    def __init__(self, shared: SharedTls, handshakes: Handshakes) -> None:
        super().__init__(shared)
        self._handshakes = handshakes

    async def _shake_hands(self, client: socket.SocketType) -> TlsSession:
        with self._handshakes.one() as counting:
            counting.session = await super()._shake_hands(client)
        return counting.session


class CountedStartTls(StartTls):
    """See StartTls. handshakes: counts them."""

    def __init__(self, settings: GateTls, contexts: Contexts, handshakes: Handshakes) -> None:
        super().__init__(settings, contexts)
        self._handshakes = handshakes

    def ready(self) -> ShakeHands:
        """Count what it shakes."""
        shake_hands = super().ready()

        async def counted(connected: socket.SocketType) -> TlsSession:
            with self._handshakes.one() as counting:
                counting.session = await shake_hands(connected)
            return counting.session

        return counted
