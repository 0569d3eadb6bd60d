"""What is asked of a store for a client: one deadline and one circuit breaker for all. Never knows what is asked.

A store that fails delays a client by a second at most, and who asks says what the answer is then.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

from ...core.metrics.asked import HeardOfOne, Went, unheard_of_one
from ...core.store import breaker
from .reason import reason

T = TypeVar("T")

#: Seconds that a client may have to wait for the store.
_PATIENCE = 1.0


class Attempts:
    """The attempts of one process to use its store. tell: hears why they fail, once a minute. heard: how each went."""

    def __init__(self, tell: Callable[[str], None], heard: HeardOfOne = unheard_of_one) -> None:
        self._tell = tell
        self._heard = heard
        self._standing = breaker.Standing()

    async def ask(self, deed: Callable[[], Awaitable[T]], otherwise: T) -> T:
        """Attempt a deed, unless the store has just failed. otherwise: the answer without it."""
        if not breaker.may_be_asked(self._standing, time.monotonic()):
            self._heard(Went.SKIPPED, 0.0)
            return otherwise
        return await self._attempt(deed, otherwise, self._heard)

    async def insist(self, deed: Callable[[], Awaitable[T]], otherwise: T) -> T:
        """Attempt a deed for nobody, also where the store has just failed. otherwise: the answer without it."""
        return await self._attempt(deed, otherwise, unheard_of_one)

    async def _attempt(self, deed: Callable[[], Awaitable[T]], otherwise: T, heard: HeardOfOne) -> T:
        went, since = Went.FAILED, time.monotonic()
        try:
            begun = deed()  # which may load a library: that is no time of the store's
            since = time.monotonic()
            async with asyncio.timeout(_PATIENCE):
                answer = await begun
            went = Went.ANSWERED
        except Exception as error:  # whatever it is: mail is the service
            self._fail(reason(error))
            answer = otherwise
        heard(went, time.monotonic() - since)
        return answer

    def _fail(self, why: str) -> None:
        now = time.monotonic()
        worth_a_line = breaker.is_worth_a_line(self._standing, now)
        self._standing = breaker.failed(self._standing, now)
        if worth_a_line:
            self._tell(why)
