"""The ledger asked about a client. A store that cannot be asked opens nothing: the relay stays closed. Never grants."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

from ...core.ledger import address, record
from ...core.ledger.changes import TENANT
from ...core.ledger.grant import Grant
from ...core.metrics.asked import HeardOfOne, unheard_of_one
from ...core.store import url
from ...core.store.change import Row, Tenant
from ..store.attempts import Attempts

_NONE: tuple[Row, ...] = ()
#: Keys under which there is no grant.
_NOBODY = ("0.0.0.0",)


class _Reader(Protocol):
    async def read_some(self, tenant: Tenant, keys: Sequence[str], /) -> tuple[Row, ...]: ...

    async def close(self) -> None: ...


class LedgerReader:
    """One process's way to the ledger, to be made in the process that uses it.

    place: path of an SQLite file, which the process need not be able to write, or a redis:, rediss: or unix: URL. tell:
    hears why it cannot be asked, once a minute, and of each record that is none. heard: how each question went.
    """

    def __init__(self, place: str, tell: Callable[[str], None], heard: HeardOfOne = unheard_of_one) -> None:
        self._place = place
        self._tell = tell
        self._attempts = Attempts(place, tell, heard)
        self._store: _Reader | None = None

    async def open(self) -> None:
        """Ask about nobody, before the first client comes, so that what is wrong is logged."""
        await self._attempts.insist(lambda: self._rows(_NOBODY), _NONE)

    async def grants(self, ip: bytes) -> tuple[Grant, ...]:
        """Find the grants of a client, those that have expired too; none where the ledger cannot be asked."""
        try:
            keys = address.keys(address.address(ip))
        except ValueError:
            return ()
        rows = await self._attempts.ask(lambda: self._rows(keys), _NONE)
        return tuple(grant for row in rows for grant in self._grants(row))

    async def close(self) -> None:
        """Give everything back."""
        if self._store is not None:
            await self._attempts.insist(self._store.close, None)

    def _rows(self, keys: Sequence[str]) -> Awaitable[tuple[Row, ...]]:
        return self._kept().read_some(TENANT, keys)

    def _grants(self, row: Row) -> tuple[Grant, ...]:
        """Read one record; a bad one of one client keeps no other from relaying."""
        try:
            return record.grants(row)
        except ValueError as wrong:
            self._tell(str(wrong))
            return ()

    def _kept(self) -> _Reader:
        self._store = self._store or reader(self._place)(self._place)
        return self._store


def reader(place: str) -> Callable[[str], _Reader]:
    """Find what reads a store. place: as of LedgerReader. Raises ImportError where its library is missing."""
    if url.is_url(place):
        from ..store.redis import RedisStore

        return lambda server: RedisStore(server, (TENANT,))
    from ..store.sqlite_reader import SqliteReader

    return SqliteReader
