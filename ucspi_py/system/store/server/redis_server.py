"""A Valkey or Redis server, which several hosts may share: one process's way to it. Never knows what is kept there.

Beside it redis_sentinels and redis_tls alone import redis. To be made in the process that uses it: no connection may
cross a fork.
"""

import asyncio
import encodings.idna  # noqa: F401  names of hosts need it, and nothing can be imported once root is given up
from collections.abc import Awaitable, Sequence
from functools import cache
from hashlib import sha1
from typing import Any, TypeVar

from redis.asyncio import Connection, ConnectionPool, Redis, SSLConnection
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import NoScriptError, RedisError

from ....core.store.url import sentinels
from . import redis_sentinels, redis_tls
from .understood import understood

T = TypeVar("T")

#: Seconds for one answer of the server; who calls has a deadline for all of them together.
_PATIENCE = 1.0
#: A server that answers in a millisecond serves thousands of clients a second by these.
_CONNECTIONS = 8


class RedisServer:
    """The way to one server. Its methods raise redis.RedisError or OSError where it fails.

    url: redis:, rediss:, unix: or redis+sentinel:. client: what has the commands; what they give is to be awaited by
    ask(). patience: seconds for one answer; None = who asks has a deadline of its own, which costs less.
    """

    def __init__(self, url: str, patience: float | None = _PATIENCE) -> None:
        self._pool = _pool(url, patience)
        # A pool fails whoever comes while all its connections are in use.
        self._turn = asyncio.Semaphore(self._pool.max_connections)
        self.client: Redis = Redis(connection_pool=self._pool)

    async def ask(self, deed: Awaitable[T]) -> T:
        """Await what a command gives."""
        try:
            async with self._turn:
                return await self._asked(deed)
        finally:
            if asyncio.iscoroutine(deed):
                deed.close()  # of who gave up before its turn; or Python would warn of it in the log

    async def run(self, script: str, keys: Sequence[str], arguments: Sequence[str]) -> Any:
        """Run a script in Lua -> its answer: by its digest, or by its text where the server does not know it yet."""
        return await self.ask(self._run(script, keys, arguments))

    async def close(self) -> None:
        """Give everything back."""
        await self._pool.disconnect()

    async def _asked(self, deed: Awaitable[T]) -> T:
        try:
            return await deed
        except (RedisError, OSError, asyncio.CancelledError):
            # The server may have been demoted, or be gone: nobody is to wait for it on each connection that is open.
            await self._pool.disconnect(inuse_connections=False)
            raise

    async def _run(self, script: str, keys: Sequence[str], arguments: Sequence[str]) -> Any:
        try:
            return await self.client.evalsha(_digest(script), len(keys), *keys, *arguments)
        except NoScriptError:
            return await self.client.eval(script, len(keys), *keys, *arguments)


def _pool(url: str, patience: float | None) -> ConnectionPool:
    wishes = {
        "max_connections": _CONNECTIONS,
        "socket_timeout": patience,
        "socket_connect_timeout": _PATIENCE,
        "retry": Retry(NoBackoff(), 0),  # the client is not to wait twice
        **understood(Connection, protocol=2, driver_info=None),
    }
    found = sentinels(url)
    pool = redis_sentinels.pool(found, wishes) if found else ConnectionPool.from_url(url, **wishes)
    # Of BlockingConnectionPool, which we have not: who asks has a deadline that is shorter.
    pool.connection_kwargs.pop("timeout", None)
    if pool.connection_class is SSLConnection:
        redis_tls.quicken(pool)
    return pool


@cache
def _digest(script: str) -> str:
    return sha1(script.encode(), usedforsecurity=False).hexdigest()
