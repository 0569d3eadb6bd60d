"""What is asked of a store for a client: one deadline and one circuit breaker for all. Never knows what is asked.

A store that fails delays a client for a moment, and who asks says what the answer is then. Behind a failure one client
alone is made to wait for it, to see whether it is well. Of several stores at one place a client waits for one alone.
No more wait together for a server than it answers in that moment: more of them would cost each other longer than that.
"""

import asyncio
import math
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import cache, partial
from typing import TypeVar

from ...core.metrics.asked import HeardOfOne, Went, unheard_of_one
from ...core.store import breaker, url
from .reason import reason

T = TypeVar("T")

#: Seconds that a client may have to wait for a server: one that is well answers in some milliseconds.
_FOR_A_SERVER = 0.25
#: Seconds for a file: a busy disk takes some tenths for a checkpoint or a new file, and all is well behind that. Who is
#: not written down has waited for nothing.
_FOR_A_FILE = 1.0
#: Seconds for what no client waits for.
_FOR_NOBODY = 1.0
#: Clients that may wait together for a server: what this process tells it, and hears of it, in a tenth of a second.
_TOGETHER = 1000
#: Turns of the loop that an answer takes at most from the kernel to who has asked.
_TURNS = 3
_HANGS = reason(TimeoutError())
_CROWDED = f"{_TOGETHER} clients wait for it already"


def patience(place: str) -> float:
    """Tell for how many seconds a client may have to wait for a store. place: path of a file, or a URL."""
    return _FOR_A_SERVER if url.is_url(place) else _FOR_A_FILE


class _Place:
    """How all stores of a process stand that are at one place: what hangs there, hangs for each of them.

    waiting: how many clients wait for it.
    """

    standing = breaker.Standing()
    waiting = 0


@cache
def _place(_where: str) -> _Place:
    return _Place()


class Attempts:
    """The attempts of one process to use its store.

    place: path of a file, or a URL. tell: hears why they fail, once a minute. heard: how each went.
    """

    def __init__(self, place: str, tell: Callable[[str], None], heard: HeardOfOne = unheard_of_one) -> None:
        self._tell = tell
        self._heard = heard
        self._patience = patience(place)
        self._together = _TOGETHER if url.is_url(place) else math.inf
        self._standing = self._crowd = breaker.Standing()
        self._place = _place(url.server(place))

    async def ask(self, deed: Callable[[], Awaitable[T]], otherwise: T) -> T:
        """Attempt a deed, unless the store has just failed, or too many wait. otherwise: the answer without it."""
        if self._place.waiting >= self._together:
            self._crowd = self._told_in_time(self._crowd, _CROWDED, time.monotonic())
            self._heard(Went.SKIPPED, 0.0)
            return otherwise
        self._place.waiting += 1
        try:
            return await self._ask(deed, otherwise, self._heard)
        finally:
            self._place.waiting -= 1

    async def tell(self, deed: Callable[[], Awaitable[object]]) -> bool:
        """Attempt a deed of no client, unless the store has just failed -> whether it is done."""
        return await self._ask(partial(_done, deed), False, unheard_of_one)

    async def insist(self, deed: Callable[[], Awaitable[T]], otherwise: T) -> T:
        """Attempt a deed for nobody, also where the store has just failed. otherwise: the answer without it."""
        return await self._attempt(deed, otherwise, unheard_of_one, _FOR_NOBODY)

    async def _ask(self, deed: Callable[[], Awaitable[T]], otherwise: T, heard: HeardOfOne) -> T:
        now = time.monotonic()
        is_hanging = not breaker.may_be_asked(self._place.standing, now)
        if is_hanging:
            self._standing = self._told_in_time(self._standing, _HANGS, now)
        if is_hanging or not breaker.may_be_asked(self._standing, now):
            heard(Went.SKIPPED, 0.0)
            return otherwise
        self._standing = breaker.asked(self._standing, now)
        self._place.standing = breaker.asked(self._place.standing, now)
        return await self._attempt(deed, otherwise, heard, self._patience)

    async def _attempt(self, deed: Callable[[], Awaitable[T]], otherwise: T, heard: HeardOfOne, seconds: float) -> T:
        went, since = Went.FAILED, time.monotonic()
        try:
            begun = deed()  # which may load a library: that is no time of the store's
            since = time.monotonic()
            answer = await _within(seconds, begun)
            went = Went.ANSWERED
            self._standing = breaker.answered(self._standing)
            self._place.standing = breaker.answered(self._place.standing)
        except Exception as error:  # whatever it is: mail is the service
            self._fail(error)
            answer = otherwise
        heard(went, time.monotonic() - since)
        return answer

    def _fail(self, error: Exception) -> None:
        now = time.monotonic()
        place = self._place
        # Where nobody has waited, as for one that is refused, nobody else will.
        hangs = isinstance(error, TimeoutError)
        place.standing = breaker.failed(place.standing, now) if hangs else breaker.answered(place.standing)
        self._standing = breaker.failed(self._told_in_time(self._standing, reason(error), now), now)

    def _told_in_time(self, standing: breaker.Standing, why: str, now: float) -> breaker.Standing:
        if not breaker.is_worth_a_line(standing, now):
            return standing
        self._tell(why)
        return breaker.told(standing, now)


async def _within(seconds: float, begun: Awaitable[T]) -> T:
    """Await what was begun. What has come by then is heard, also where this process is late to look at it."""
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(None) as waiting:
        late = loop.call_later(seconds, _give_up, waiting, _TURNS)
        try:
            return await begun
        finally:
            late.cancel()


def _give_up(waiting: asyncio.Timeout, turns: int) -> None:
    if turns:
        asyncio.get_running_loop().call_soon(_give_up, waiting, turns - 1)
    else:
        with suppress(RuntimeError):  # it has come
            waiting.reschedule(0.0)


async def _done(deed: Callable[[], Awaitable[object]]) -> bool:
    await deed()
    return True
