"""Records of a store, read for somebody who asks about them. Never makes, changes or renews one."""

import asyncio
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from typing import Protocol, TypeVar

from ...core.errors import Failure
from ...core.store import url
from ...core.store.change import Page, Row, Tenant
from .reason import reason

T = TypeVar("T")

#: Seconds that a server has to answer.
_PATIENCE = 5.0


class _Reader(Protocol):
    async def read(self, tenant: Tenant, key: str, /) -> Row | None: ...

    async def page(self, tenant: Tenant, after: str | None, prefix: str, /) -> Page: ...

    async def close(self) -> None: ...


async def record(place: str, tenant: Tenant, key: str) -> Row | None:
    """Find the record of a key; None = there is none.

    place: as of Records. Raises Failure where the store cannot be read.
    """
    async with _opened(place) as reader:
        return await _asked(place, reader.read(tenant, key))


async def records(place: str, tenant: Tenant, prefix: str = "") -> AsyncIterator[tuple[str, Row]]:
    """Yield the records whose keys begin so, each with its key; also what has expired and is not swept away yet.

    place: as of Records. prefix: "" = all; of hex digits an even number. Redis may say a thing twice. Raises Failure
    where the store cannot be read.
    """
    after: str | None = None
    async with _opened(place) as reader:
        while True:
            some, after = await _asked(place, reader.page(tenant, after, prefix))
            for one in some:
                yield one
            if after is None:
                return


@asynccontextmanager
async def _opened(place: str) -> AsyncIterator[_Reader]:
    reader = await _asked(place, _reader(place))
    try:
        yield reader
    finally:
        await _asked(place, reader.close())


async def _reader(place: str) -> _Reader:
    if url.is_url(place):
        from .redis import RedisStore

        return RedisStore(place, ())
    from .sqlite_reader import SqliteReader

    return SqliteReader(place)


async def _asked(place: str, question: Awaitable[T]) -> T:
    try:
        async with asyncio.timeout(_PATIENCE):
            return await question
    except Exception as error:  # each library has its own
        raise Failure(f"unable to read {url.shown(place)}: {reason(error)}") from None
