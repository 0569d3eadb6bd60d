"""Records of a store, read for somebody who asks about them. Never makes, changes or renews one."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Sequence
from contextlib import asynccontextmanager
from typing import Protocol, TypeVar

from ...core.errors import Failure
from ...core.store import url
from ...core.store.change import Kept, Page, Row, Tenant
from .reason import reason

T = TypeVar("T")

#: Seconds that a server has to answer.
_PATIENCE = 5.0


class _Reader(Protocol):
    async def find(self, tenant: Tenant, keys: Sequence[str], /) -> list[Kept]: ...

    async def page(self, tenant: Tenant, after: str | None, prefix: str, /) -> Page: ...

    async def close(self) -> None: ...


async def record(place: str, tenant: Tenant, key: str) -> Row | None:
    """Find the record of a key; None = there is none.

    place: as of Records. Raises Failure where the store cannot be read.
    """
    found = await find(place, tenant, (key,))
    return found[0].row if found else None


async def find(place: str, tenant: Tenant, keys: Sequence[str]) -> list[Kept]:
    """Find the records of some keys, those that there are.

    place: as of Records. Raises Failure where the store cannot be read.
    """
    async with _opened(place) as reader:
        return await _asked(place, reader.find(tenant, keys))


async def records(place: str, tenant: Tenant, prefix: str = "") -> AsyncGenerator[Kept, None]:
    """Yield the records whose keys begin so; also what has expired and is not swept away yet.

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
