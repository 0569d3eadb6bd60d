"""Asks one policy service: with a deadline, tries, and a circuit breaker. Never decides what an answer does."""

import asyncio
import time
from collections.abc import Callable

from ....core.dns.message import Ask
from ....core.gate.policy.settings import PolicyService, PolicySettings
from ....core.metrics.asked import HeardOfOne, Went, unheard_of_one
from ....core.policy.asking import NotAReply
from ....core.store import breaker
from ....core.text import shown
from ...store.reason import reason
from ..reach import NoAddress
from .connection import Lost, PolicyConnection
from .pool import Pool

#: Connections of a process to one service; whoever finds them all in use waits for one.
_MOST = 20
_FAILURES = (OSError, Lost, NoAddress, NotAReply)


class PolicyClient:
    """Asks a service for all clients of a process.

    settings: of the service. ask: queries records. say: gets a sentence where it gives no answer, once a minute. heard:
    how each question went.
    """

    def __init__(
        self,
        service: PolicyService,
        settings: PolicySettings,
        ask: Ask,
        say: Callable[[str], None],
        heard: HeardOfOne = unheard_of_one,
    ) -> None:
        self._service = service
        self._settings = settings
        self._say = say
        self._heard = heard
        self._pool = Pool(service, settings, ask)
        self._room = asyncio.Semaphore(_MOST)
        self._standing = breaker.Standing()
        # Since its last failure it is asked by one client at a time, so that no other has to wait for it.
        self._is_doubted = False
        self._is_tried = False

    async def ask(self, request: bytes, deadline: float) -> bytes | None:
        """Ask -> the action; None = there is no answer within the time. deadline: monotonic second."""
        if not breaker.may_be_asked(self._standing, time.monotonic()) or (self._is_doubted and self._is_tried):
            self._heard(Went.SKIPPED, 0.0)
            return None
        tries_alone = self._is_tried = self._is_doubted
        since = time.monotonic()
        try:
            action = await self._within(min(deadline, since + self._settings.timeout), request)
        finally:
            if tries_alone:
                self._is_tried = False
        self._heard(Went.FAILED if action is None else Went.ANSWERED, time.monotonic() - since)
        return action

    def close(self) -> None:
        """Give all connections back that nobody uses."""
        self._pool.empty()

    async def _within(self, deadline: float, request: bytes) -> bytes | None:
        try:
            async with asyncio.timeout_at(deadline), self._room:
                action = await self._tries(request, deadline)
        except _FAILURES as failure:
            self._fail(failure)
            return None
        self._is_doubted = False
        return action

    async def _tries(self, request: bytes, deadline: float) -> bytes:
        left = self._settings.try_limit
        while True:
            connection = None
            try:
                connection = await self._pool.take(deadline)
                return await self._once(connection, request)
            except _FAILURES as failure:
                self._pool.empty()
                # A kept connection that was closed meanwhile tells of no trouble: the service was started anew.
                was_kept = connection is not None and connection.questions > 1
                if was_kept and not isinstance(failure, NotAReply):
                    continue
                left -= 1
                if not left:
                    raise
            await asyncio.sleep(self._settings.retry_delay)

    async def _once(self, connection: PolicyConnection, request: bytes) -> bytes:
        try:
            action = await connection.ask(request)
        except BaseException:
            connection.close()  # Its answer may still come, and would be that of another question.
            raise
        self._pool.give_back(connection)
        return action

    def _fail(self, failure: Exception) -> None:
        now = time.monotonic()
        is_worth_a_line = breaker.is_worth_a_line(self._standing, now)
        self._standing = breaker.failed(self._standing, now)
        self._is_doubted = True
        if is_worth_a_line:
            action = shown(self._settings.default_action)
            self._say(f"policy service {self._service}: {reason(failure)}; its default action is done, {action}")
