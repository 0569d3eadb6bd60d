"""TLS at a gate: what its clients are offered of it, and how it begins. Loaded only where a gate has TLS."""

import asyncio
import socket
from collections.abc import Awaitable, Callable

from ....core.errors import Failure
from ....core.gate.tls.settings import GateTls
from ....core.smtp.settings import Offers, Starttls
from ...tls.contexts import Contexts
from ...tls.handshake import HandshakeFailed, handshake
from ...tls.session import TlsSession

#: Shakes hands with the client at a socket. Raises Failure, with the reason.
ShakeHands = Callable[[socket.SocketType], Awaitable[TlsSession]]


class StartTls:
    """TLS of one process's gate. contexts: with the keys of its settings."""

    def __init__(self, settings: GateTls, contexts: Contexts) -> None:
        self._settings = settings
        self._contexts = contexts

    def offers(self, offers: Offers) -> Offers:
        """Put what a client is offered of TLS to its other offers."""
        settings = self._settings
        in_clear = () if settings.is_required else offers.mechanisms
        return offers._replace(
            starttls=self._standing(),
            requires_tls=settings.is_required,
            mechanisms=in_clear,
        )

    def ready(self) -> ShakeHands:
        """Take the context that is current. Raises Failure where there is none."""
        context, seconds = self._contexts.current, self._settings.tls.handshake_seconds

        async def shake_hands(connected: socket.SocketType) -> TlsSession:
            try:
                return await handshake(asyncio.get_running_loop(), connected, context, seconds)
            except HandshakeFailed as failed:
                raise Failure(failed.reason) from None

        return shake_hands

    def _standing(self) -> Starttls:
        try:
            self.ready()
        except Failure:
            return Starttls.BROKEN
        return Starttls.YES
