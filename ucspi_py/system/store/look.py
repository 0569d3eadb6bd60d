"""One record of a store, read for somebody who asks about it. Never makes, changes or renews one."""

import asyncio

from ...core.errors import Failure
from ...core.store import url
from ...core.store.change import Row, Tenant
from .reason import reason

#: Seconds that a server has to answer.
_PATIENCE = 5.0


async def record(place: str, tenant: Tenant, key: str) -> Row | None:
    """Find the record of a key; None = there is none.

    place: as of Records. Raises Failure where the store cannot be read.
    """
    try:
        return await _from_server(place, tenant, key) if url.is_url(place) else _from_file(place, tenant, key)
    except Exception as error:  # each library has its own
        raise Failure(f"unable to read {url.shown(place)}: {reason(error)}") from None


def _from_file(path: str, tenant: Tenant, key: str) -> Row | None:
    from .sqlite_reader import read

    return read(path, tenant, key)


async def _from_server(place: str, tenant: Tenant, key: str) -> Row | None:
    from .redis import RedisStore

    store = RedisStore(place, (tenant,))
    try:
        async with asyncio.timeout(_PATIENCE):
            return await store.read(tenant, key)
    finally:
        await store.close()
