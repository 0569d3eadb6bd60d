"""One record of a store, read for somebody who asks about it. Never makes, changes or renews one."""

import asyncio
from collections.abc import Callable

from ...core.errors import Failure, error_words
from ...core.store import url
from ...core.store.change import Row, Tenant

#: Seconds that a server has to answer.
_PATIENCE = 5.0


async def record(place: str, tenant: Tenant, key: str, parse: Callable[[bytes], Row]) -> Row | None:
    """Find the record of a key; None = there is none.

    place: as of Records. parse: reads a record as Redis has it. Raises Failure where the store cannot be read.
    """
    try:
        return await _from_server(place, tenant, key, parse) if url.is_url(place) else _from_file(place, tenant, key)
    except Exception as error:  # each library has its own
        number = error.errno if isinstance(error, OSError) else None
        reason = "timed out" if isinstance(error, TimeoutError) else str(error).rstrip(".")
        raise Failure(f"unable to read {url.shown(place)}: {error_words(number) if number else reason}") from None


def _from_file(path: str, tenant: Tenant, key: str) -> Row | None:
    from .sqlite import read

    return read(path, tenant, key)


async def _from_server(place: str, tenant: Tenant, key: str, parse: Callable[[bytes], Row]) -> Row | None:
    from .redis import RedisStore

    store = RedisStore(place, (tenant,))
    try:
        async with asyncio.timeout(_PATIENCE):
            found = await store.read(tenant, key)
    finally:
        await store.close()
    return None if found is None else parse(found)
