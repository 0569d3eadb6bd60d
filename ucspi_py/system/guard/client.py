"""The guard, asked by a worker: whether a client is who it says. Never sees a file, a key or a password of its own."""

import asyncio
import socket

from ...core.auth.answer import Answer, Verdict
from ...core.auth.credentials import Credentials, Peer
from ...core.errors import error_words
from ...core.guard import request
from ...core.guard.request import CheckAsked
from ...core.guard.settings import GuardSettings
from . import channel

#: Seconds beyond those of the guard: it answers in time, or it is stopped (SIGSTOP) or starved.
_MARGIN = 5.0
_TOO_LONG = Answer(Verdict.NO, reason="login or password too long")


class GuardChecker:
    """Has the guard ask its checkpassword program. workers: our end of the channel, which stays the caller's."""

    def __init__(self, workers: socket.socket, settings: GuardSettings) -> None:
        self._workers = workers
        self._mechanisms = settings.mechanisms if settings.checkpassword else ()
        self._patience = settings.limits.waiting_seconds + settings.limits.check_seconds + _MARGIN

    @property
    def mechanisms(self) -> tuple[bytes, ...]:
        """Those that it can check, in capitals; () where the guard is gone."""
        return () if channel.is_over(self._workers) else self._mechanisms

    async def ready(self) -> None:
        """Have nothing to find out."""

    async def check(self, credentials: Credentials, peer: Peer, /) -> Answer:
        """Check credentials within a limited time. Never raises: what fails is LATER, with its reason."""
        packet = request.encode(CheckAsked(credentials, peer))
        if packet is None:
            return _TOO_LONG
        try:
            verdict = await self._ask(packet)
        except TimeoutError:
            return Answer(Verdict.LATER, reason="the guard takes too long")
        except OSError as error:
            return Answer(Verdict.LATER, reason=f"unable to ask the guard: {error_words(error.errno)}")
        return _ANSWERS.get(verdict) or Answer(verdict, credentials.login)

    def close(self) -> None:
        """Give everything back: nothing, as what a question needs is closed with it."""

    async def _ask(self, packet: bytes) -> Verdict:
        with channel.ask(self._workers, packet) as ours:
            async with asyncio.timeout(self._patience):
                return request.verdict(await asyncio.get_running_loop().sock_recv(ours, request.ANSWER_LIMIT))


#: The guard gives no reasons; they are in its log.
_ANSWERS = {
    Verdict.NO: Answer(Verdict.NO, reason="authentication failure"),
    Verdict.LATER: Answer(Verdict.LATER, reason="the guard cannot tell"),
}
