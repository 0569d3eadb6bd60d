"""The records that one process keeps in a store: one deadline and one circuit breaker for all. Never decides.

A store that fails delays a client by a second at most, and each change says what its result is then.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol, TypeVar

from ...core.store import breaker, url
from ...core.store.change import Change, Tenant

T = TypeVar("T")

#: Seconds that a client may have to wait for the store.
_PATIENCE = 1.0


class Store(Protocol):
    """A keeper of records. Its methods raise whatever they like where they fail."""

    async def open(self) -> None:
        """Get ready; update does so too, where it must."""

    async def update(self, key: str, change: Change[T], /) -> T:
        """Apply a change to the record of a key, and return its result; nobody else writes meanwhile."""

    async def close(self) -> None:
        """Give everything back."""


class Records:
    """The way of one process to its store, to be made in the process that uses it.

    place: path of an SQLite file, or a redis:, rediss: or unix: URL. tenants: whose records are kept there. tell: hears
    why the store fails, once a minute.
    """

    def __init__(self, place: str, tenants: Sequence[Tenant], tell: Callable[[str], None]) -> None:
        self._place = place
        self._tenants = tenants
        self._tell = tell
        self._store: Store | None = None
        self._standing = breaker.Standing()

    async def open(self) -> None:
        """Open the store before the first client comes, so that what is wrong with it is logged."""
        await self._attempt(lambda store: store.open(), None)

    async def update(self, key: str, change: Change[T]) -> T:
        """Apply a change to the record of a key; its result, or the one that it has without a store."""
        if not breaker.may_be_asked(self._standing, time.monotonic()):
            return change.without_store
        return await self._attempt(lambda store: store.update(key, change), change.without_store)

    async def close(self) -> None:
        """Give everything back."""
        if self._store is not None:
            await self._attempt(lambda store: store.close(), None)

    async def _attempt(self, deed: Callable[[Store], Awaitable[T]], otherwise: T) -> T:
        try:
            async with asyncio.timeout(_PATIENCE):
                self._store = self._store or keeper(self._place)(self._place, self._tenants)
                return await deed(self._store)
        except Exception as error:  # whatever it is: mail is the service
            self._fail("timed out" if isinstance(error, TimeoutError) else str(error).rstrip("."))
            return otherwise

    def _fail(self, reason: str) -> None:
        now = time.monotonic()
        worth_a_line = breaker.is_worth_a_line(self._standing, now)
        self._standing = breaker.failed(self._standing, now)
        if worth_a_line:
            self._tell(reason)


def keeper(place: str) -> Callable[[str, Sequence[Tenant]], Store]:
    """The kind of store that a path or a URL calls for. Raises ImportError where its library is missing."""
    if url.is_url(place):
        from .redis import RedisStore

        return RedisStore
    from .sqlite import SqliteStore

    return SqliteStore
