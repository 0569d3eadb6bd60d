"""The server that Redis Sentinel calls the primary one: asked for at each new connection. Never asks for a replica."""

import asyncio
import contextlib
from collections.abc import Mapping, Sequence
from typing import Any

from redis.asyncio import Redis
from redis.asyncio.connection import parse_url
from redis.asyncio.retry import Retry
from redis.asyncio.sentinel import MasterNotFoundError, Sentinel, SentinelConnectionPool
from redis.backoff import NoBackoff

from ....core.store.url import Sentinels
from .understood import understood

#: The library has no types for these.
_Sentinel: Any = Sentinel
_Pool: Any = SentinelConnectionPool
#: Seconds that a Sentinel has to answer.
_PATIENCE = 0.3


def pool(sentinels: Sentinels, wishes: Mapping[str, Any]) -> SentinelConnectionPool:
    """Make connections to the primary server. A demoted one is left by the library, as it takes no writes.

    wishes: what connections are made with; what the URL says goes before.
    """
    told = {name: value for name, value in parse_url(sentinels.server).items() if name not in ("host", "port")}
    made: SentinelConnectionPool = _Pool(sentinels.name, _All(sentinels.places), **{**wishes, **told})
    return made


class _All:
    """All Sentinels, asked at once: who is down or hangs keeps nobody. places: hosts and ports."""

    def __init__(self, places: Sequence[tuple[str, int]]) -> None:
        told = {
            "socket_timeout": _PATIENCE,
            "socket_connect_timeout": _PATIENCE,
            "retry": Retry(NoBackoff(), 0),
            **understood(Redis, protocol=2, driver_info=None),
        }
        self._each = [_Sentinel((place,), sentinel_kwargs=told) for place in places]

    async def discover_master(self, service_name: str) -> tuple[str, int]:
        """Find address and port of the primary server, as the first says that knows. service_name: its name there."""
        asked = [asyncio.ensure_future(one.discover_master(service_name)) for one in self._each]
        try:
            for answer in asyncio.as_completed(asked, timeout=_PATIENCE):
                with contextlib.suppress(Exception):  # what is no Sentinel may say anything
                    found: tuple[str, int] = await answer
                    return found
        finally:
            await self._forget(asked)
        raise MasterNotFoundError(f"no Sentinel knows a server of the name {service_name} that is well")

    async def _forget(self, asked: Sequence["asyncio.Future[Any]"]) -> None:
        """Be done with those that have not answered, and with all connections: the next look may be days away."""
        for one in asked:
            one.cancel()
        await asyncio.gather(*asked, return_exceptions=True)
        for sentinel in self._each:
            await sentinel.sentinels[0].connection_pool.disconnect()
