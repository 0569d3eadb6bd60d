"""The records of greylists, listed, forgotten and written by hand. Never asked about a client: greylister.py is."""

import asyncio
import os
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from typing import TypeVar

from ...core.errors import Failure
from ...core.greylist.records.changes import ClientAllowed, NetworkAllowed, TripletAllowed
from ...core.greylist.records.kinds import TENANTS, Entry, Kind, entry
from ...core.greylist.records.where import Wanted
from ...core.store import url
from ...core.store.change import Change, Kept, Tenant
from ..store import look
from ..store.reason import reason
from ..store.records import Store, keeper

T = TypeVar("T")

#: Seconds that a store has to answer whoever waits at a terminal.
_PATIENCE = 10.0
#: Records that are forgotten at once: nobody else can write meanwhile.
_AT_ONCE = 500
#: Of a file so many beginnings of keys are looked for one by one; of more, and of a server, all records are read.
_FEW = 1000
#: Bytes that a file may have for us: what is written by hand is little, and how much it may be is a matter of others.
_ANY = 1 << 62


class GreylistRecords:
    """The records in one place: a file, which has to be there, or a URL. All methods raise Failure where it fails."""

    def __init__(self, place: str) -> None:
        if not url.is_url(place) and not os.path.exists(place):
            raise Failure(f"unable to use {place}: file does not exist")
        self._place = place

    async def entries(self, wanted: Wanted) -> AsyncGenerator[Entry, None]:
        """Yield the records that are meant and have not expired. Redis may say a thing twice."""
        at = now()
        async with aclosing(self._found(wanted)) as found:
            async for one in found:
                if one.expires >= at:
                    yield entry(wanted.kind, one)

    async def forget(self, wanted: Wanted) -> int:
        """Forget the records that are meant -> how many there were."""
        return sum([await self._forget(TENANTS[wanted.kind], keys) async for keys in self._keys(wanted)])

    async def allow(self, kind: Kind, key: str) -> None:
        """Let in from now on what has such a key."""
        change = _ALLOWED[kind](now())
        await self._written(change.tenant, lambda store: store.update(key, change))

    async def _forget(self, tenant: Tenant, keys: list[str]) -> int:
        return await self._written(tenant, lambda store: store.forget(tenant, keys))

    async def _found(self, wanted: Wanted) -> AsyncGenerator[Kept, None]:
        tenant = TENANTS[wanted.kind]
        for one in await look.find(self._place, tenant, wanted.keys):
            yield one
        for beginning in self._beginnings(wanted.beginnings):
            async with aclosing(look.records(self._place, tenant, beginning)) as records:
                async for one in records:
                    if wanted.holds(one.key):
                        yield one

    def _beginnings(self, beginnings: tuple[str, ...]) -> tuple[str, ...]:
        """How to find them: a server reads all keys for each beginning."""
        is_slow = len(beginnings) > (1 if url.is_url(self._place) else _FEW)
        return ("",) if is_slow else beginnings

    async def _keys(self, wanted: Wanted) -> AsyncIterator[list[str]]:
        """The keys of what is meant, as many as are forgotten at once."""
        keys = list[str]()
        async for one in self.entries(wanted):
            keys.append(one.key)
            if len(keys) == _AT_ONCE:
                yield keys
                keys = []
        if keys:
            yield keys

    async def _written(self, tenant: Tenant, deed: Callable[[Store], Awaitable[T]]) -> T:
        try:
            async with asyncio.timeout(_PATIENCE):
                store = self._store(tenant)
                try:
                    return await deed(store)
                finally:
                    await store.close()
        except Exception as error:  # each library has its own
            raise Failure(f"unable to use {url.shown(self._place)}: {reason(error)}") from None

    def _store(self, tenant: Tenant) -> Store:
        if url.is_url(self._place):
            return keeper(self._place)(self._place, (tenant,))
        from ..store.sqlite import SqliteStore

        return SqliteStore(self._place, (tenant,), _ANY, busy=_PATIENCE * 0.8)


_ALLOWED: dict[Kind, Callable[[int], Change[None]]] = {
    Kind.NETWORK: NetworkAllowed,
    Kind.TRIPLET: TripletAllowed,
    Kind.CLIENT: ClientAllowed,
}


def now() -> int:
    """Tell the time of records, in seconds since 1970."""
    return int(time.time())
