"""The greylist in service: asks its store, and lets everybody in while the store cannot be asked. Never decides.

Greylisting is a courtesy to the mailboxes behind; mail is the service. So whatever fails, a client is let in, and the
log says so, once a minute.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Protocol, TypeVar

from ...core.greylist import loglines, store_url
from ...core.greylist import network as greylist
from ...core.greylist.settings import GreylistSettings
from ...core.smtp.verdict import Accept, Verdict
from ..report.log import Log

T = TypeVar("T")

#: Seconds that a client may have to wait for the store.
_PATIENCE = 1.0
#: Seconds for which a store that has failed is left alone: the next clients do not wait for it as well.
_REST = 2.0
#: Seconds between two lines about that.
_LINES = 60.0


class Store(Protocol):
    """Where records are kept. Its methods raise whatever they like where they fail."""

    async def open(self) -> None:
        """Get ready; visit does so too, where it must."""

    async def visit(self, network: str, now: int) -> Verdict:
        """The verdict on a visit of a network at a time in seconds since 1970; what is to be remembered is."""

    async def close(self) -> None:
        """Give everything back."""


class Greylist:
    """One greylist of one process, which must not fork after the first client."""

    def __init__(self, settings: GreylistSettings, log: Log) -> None:
        self.settings = settings
        self._log = log
        self._store: Store | None = None
        self._resting_until = 0.0
        self._next_line = 0.0

    async def open(self) -> None:
        """Open the store before the first client comes, so that the log says what is wrong with it."""
        await self._attempt(lambda store: store.open())

    async def judge(self, environment: Mapping[bytes, bytes]) -> Verdict:
        """What is said of the client that the environment describes."""
        network = greylist.network(environment.get(b"TCPREMOTEIP", b""), self.settings.network)
        if network is None or greylist.exempt(environment) or time.monotonic() < self._resting_until:
            return Accept()
        now = int(time.time())
        return await self._attempt(lambda store: store.visit(network, now)) or Accept()

    async def close(self) -> None:
        """Give everything back."""
        if self._store is not None:
            await self._attempt(lambda store: store.close())

    async def _attempt(self, deed: Callable[[Store], Awaitable[T]]) -> T | None:
        """Do something with the store; None where that fails."""
        try:
            async with asyncio.timeout(_PATIENCE):
                self._store = self._store or store_of(self.settings.store)(self.settings)
                return await deed(self._store)
        except Exception as error:  # whatever it is, see above
            self._fail("timed out" if isinstance(error, TimeoutError) else str(error).rstrip("."))
            return None

    def _fail(self, reason: str) -> None:
        now = time.monotonic()
        self._resting_until = now + _REST
        if now >= self._next_line:
            self._next_line = now + _LINES
            self._log.warn(loglines.store_failed(store_url.shown(self.settings.store), reason))


def judge_once(settings: GreylistSettings, environment: Mapping[bytes, bytes], log: Log) -> Verdict:
    """What is said of one client, in a process that has no other."""
    loop = asyncio.new_event_loop()  # asyncio.run would wait for a look-up of the store's name that hangs in a thread
    try:
        return loop.run_until_complete(_judge_and_close(Greylist(settings, log), environment))
    finally:
        loop.close()


async def _judge_and_close(one: Greylist, environment: Mapping[bytes, bytes]) -> Verdict:
    try:
        return await one.judge(environment)
    finally:
        await one.close()


def store_of(name: str) -> Callable[[GreylistSettings], Store]:
    """The kind of store that a path or a URL calls for. Raises ImportError where its library is missing."""
    if store_url.is_url(name):
        from ..store.redis import RedisStore

        return RedisStore
    from ..store.sqlite import SqliteStore

    return SqliteStore
