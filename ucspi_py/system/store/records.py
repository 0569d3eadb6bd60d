"""The records that one process keeps in a store. Never decides."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Protocol, TypeVar

from ...core.metrics.asked import HeardOfOne, unheard_of_one
from ...core.store import url
from ...core.store.change import Change, Page, Script, Tenant
from ...core.store.size import DEFAULT
from .attempts import Attempts

T = TypeVar("T")


class Store(Protocol):
    """A keeper of records. Its methods raise whatever they like where they fail."""

    async def open(self) -> None:
        """Get ready; update does so too, where it must."""

    async def update(self, key: str, change: Change[T], /) -> T:
        """Apply a change to the record of a key, and return its result; nobody else writes meanwhile."""

    async def play(self, script: Script[T], /) -> T:
        """Play a script of changes, and return its result; others may write between two of its steps."""

    async def page(self, tenant: Tenant, after: str | None, prefix: str = "", /) -> Page:
        """Read some records whose keys begin so -> each with its key, and what to ask for the next with.

        after: what the last call gave; None = the first, and the last one gives it.
        """

    async def forget(self, tenant: Tenant, keys: Sequence[str], /) -> int:
        """Forget the records of some keys, no more than a page has -> how many there were."""

    async def close(self) -> None:
        """Give everything back."""


class Records:
    """The way of one process to its store, to be made in the process that uses it.

    place: path of an SQLite file, or a redis:, rediss: or unix: URL. tenants: whose records are kept there. tell: hears
    why the store fails, once a minute. size: bytes that a file may have. heard: how each question went.
    """

    def __init__(
        self,
        place: str,
        tenants: Sequence[Tenant],
        tell: Callable[[str], None],
        size: int = DEFAULT,
        heard: HeardOfOne = unheard_of_one,
    ) -> None:
        self._place = place
        self._tenants = tenants
        self._size = size
        self._attempts = Attempts(place, tell, heard)
        self._store: Store | None = None

    async def open(self) -> None:
        """Open the store before the first client comes, so that what is wrong with it is logged."""
        await self._attempts.insist(lambda: self._kept().open(), None)

    async def update(self, key: str, change: Change[T]) -> T:
        """Apply a change to the record of a key; its result, or the one that it has without a store."""
        return await self._attempts.ask(lambda: self._kept().update(key, change), change.without_store)

    async def play(self, script: Script[T], otherwise: T) -> T:
        """Play a script of changes; its result, or otherwise without a store. All of it has one deadline."""
        return await self._attempts.ask(lambda: self._kept().play(script), otherwise)

    async def close(self) -> None:
        """Give everything back."""
        if self._store is not None:
            await self._attempts.insist(self._store.close, None)

    def _kept(self) -> Store:
        if self._store is None:
            # Hosts that share a server have its time, whatever theirs is.
            self._store = keeper(self._place, self._size, by_its_clock=True)(self._place, self._tenants)
        return self._store


def keeper(place: str, size: int = DEFAULT, *, by_its_clock: bool = False) -> Callable[[str, Sequence[Tenant]], Store]:
    """The kind of store that a path or a URL calls for. Raises ImportError where its library is missing.

    size: bytes that a file may have. by_its_clock: as of RedisStore.
    """
    if url.is_url(place):
        from .redis import RedisStore

        return partial(RedisStore, by_its_clock=by_its_clock)
    from .sqlite import SqliteStore

    return partial(SqliteStore, size=size)
