"""Passwords are checked by saslauthd: one connection for each question. Never decides what an answer means."""

import asyncio
import contextlib
import socket

from ...core.auth.answer import Answer, Verdict
from ...core.auth.credentials import Credentials, Peer
from ...core.auth.place import Place
from ...core.auth.saslauthd import AnswerReader, answer, question
from .daemon_socket import connecting, trouble

#: Seconds for one answer, with the wait for a turn (xsasl_dovecot_server.c, AUTH_TIMEOUT).
_PATIENCE = 10.0
#: saslauthd has five processes unless it is told otherwise; more questions than this only wait in its queue.
_AT_ONCE = 8
#: Seconds until a daemon whose queue is full is tried again.
_PAUSE = 0.05
_READ = 1024


#: saslauthd is told a password: CRAM-MD5 has none.
MECHANISMS = (b"PLAIN", b"LOGIN")


class SaslauthdChecker:
    """Asks saslauthd.

    service: of PAM. realm: of logins that have none. mechanisms: to be offered, of PLAIN and LOGIN.
    """

    def __init__(
        self,
        place: Place,
        service: bytes = b"smtp",
        realm: bytes = b"",
        mechanisms: tuple[bytes, ...] = MECHANISMS,
    ) -> None:
        self.mechanisms = mechanisms
        self._place = place
        self._service = service
        self._realm = realm
        self._turn = asyncio.Semaphore(_AT_ONCE)

    async def ready(self) -> None:
        """Have nothing to find out."""

    async def check(self, credentials: Credentials, _peer: Peer, /) -> Answer:
        """Check a password within ten seconds."""
        asked = question(credentials, self._service, self._realm)
        if asked is None:
            return Answer(Verdict.NO, b"", "saslauthd takes no such login or password")
        try:
            async with asyncio.timeout(_PATIENCE), self._turn:
                said = await self._ask(asked)
        except TimeoutError:
            return Answer(Verdict.LATER, b"", f"{self._place} took too long")
        except OSError as error:
            return Answer(Verdict.LATER, b"", trouble(self._place, error))
        return answer(credentials.login, self._realm, said)

    def close(self) -> None:
        """Nothing is kept between two questions."""

    async def _ask(self, asked: bytes) -> bytes:
        """One question; b"" where the connection ended before there was an answer."""
        loop = asyncio.get_running_loop()
        with contextlib.closing(await self._connected()) as daemon:
            await loop.sock_sendall(daemon, asked)
            reader = AnswerReader()
            while data := await loop.sock_recv(daemon, _READ):
                said = reader.receive(data)
                if said is not None:
                    return said
                await asyncio.sleep(0)  # sock_recv does not wait where there is something
        return b""

    async def _connected(self) -> socket.socket:
        while True:
            try:
                return connecting(self._place)
            except BlockingIOError:
                await asyncio.sleep(_PAUSE)
