"""Passwords are checked by Dovecot: one connection for all questions, made anew when it is lost."""

import asyncio
import contextlib

from ...core.auth.answer import Answer, Verdict
from ...core.auth.credentials import Credentials, Peer
from ...core.auth.place import Place
from .daemon_socket import trouble
from .dovecot_connection import DovecotConnection, Mechanisms

#: Seconds for one answer, with the wait for a connection (xsasl_dovecot_server.c, AUTH_TIMEOUT).
_PATIENCE = 10.0
#: Seconds between two attempts to connect.
_PAUSE = 1.0
#: Seconds after which a connection is changed for a new one. A Dovecot that is told to end or to read its configuration
#: anew goes on as it was for clients that it has (2.3.19); Postfix's smtpd leaves when it was idle for so long.
_LIFE = 100.0


class DovecotChecker:
    """Asks Dovecot. It is connected to from the start, so that the first client hears what mechanisms there are.

    service: as Dovecot knows it.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, place: Place, service: bytes = b"smtp") -> None:
        self._loop = loop
        self._place = place
        self._service = service
        self._mechanisms: Mechanisms = ()
        self._connection: DovecotConnection | None = None
        self._reason = ""
        self._timer: asyncio.TimerHandle | None = None
        #: Done when it has turned out what comes of the connection that is being made.
        self._attempt: asyncio.Future[None] = loop.create_future()
        self._first = self._attempt
        self._connect()

    @property
    def mechanisms(self) -> Mechanisms:
        """What Dovecot has of PLAIN and LOGIN; () while it is away."""
        return self._mechanisms

    async def ready(self) -> None:
        """Wait until the first connection is made or lost, a second at most."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_PAUSE):
                await asyncio.shield(self._first)

    async def check(self, credentials: Credentials, peer: Peer, /) -> Answer:
        """Check a password within ten seconds, once more where Dovecot was started anew meanwhile."""
        try:
            async with asyncio.timeout(_PATIENCE):
                return await self._ask(credentials, peer) or await self._ask(credentials, peer) or self._trouble()
        except TimeoutError:
            return Answer(Verdict.LATER, b"", f"{self._place} took too long")

    def close(self) -> None:
        """Give the connection back."""
        if self._timer:
            self._timer.cancel()
        if self._connection:
            self._connection.close()
            self._connection = None
        self._decided()

    async def _ask(self, credentials: Credentials, peer: Peer) -> Answer | None:
        """None where there is no connection, or none any more."""
        await asyncio.shield(self._attempt)
        if self._connection is None:
            return None
        if credentials.mechanism not in self._mechanisms:
            return Answer(Verdict.LATER, b"", f"{self._place} has no mechanism {credentials.mechanism.decode()}")
        return await self._connection.ask(credentials, peer)

    def _connect(self) -> None:
        """Make a connection, the first one or one instead of the one there is."""
        if self._connection:
            self._connection.leave()
            self._connection = None
        if self._attempt.done():
            self._attempt = self._loop.create_future()
        try:
            self._connection = DovecotConnection(self._loop, self._place, self._service, self._greeted, self._lost)
        except OSError as error:
            self._lost(trouble(self._place, error))
        else:
            self._timer = self._loop.call_later(_LIFE, self._connect)

    def _greeted(self, mechanisms: Mechanisms) -> None:
        self._mechanisms = mechanisms
        self._decided()

    def _lost(self, reason: str) -> None:
        """Who waits for this attempt hears of it; who comes later waits for the next one."""
        self._reason = reason
        self._mechanisms = ()
        self._connection = None
        self._decided()
        self._attempt = self._loop.create_future()
        if self._timer:
            self._timer.cancel()
        self._timer = self._loop.call_later(_PAUSE, self._connect)

    def _decided(self) -> None:
        if not self._attempt.done():
            self._attempt.set_result(None)

    def _trouble(self) -> Answer:
        return Answer(Verdict.LATER, b"", self._reason)
