"""A Valkey or Redis server, which several hosts may share: one process's way to it. Never knows what is kept there.

Beside it redis_sentinels and redis_tls alone import redis. To be made in the process that uses it: no connection may
cross a fork.
"""

import asyncio
import encodings.idna  # noqa: F401  names of hosts need it, and nothing can be imported once root is given up
from collections.abc import Awaitable, Sequence
from contextlib import suppress
from functools import cache, partial
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
#: Seconds until a question that was cancelled, and goes on, has lost that: in wait_for of Python 3.11, or in a timeout
#: of no time that came first, as redis 4 has.
_LOST = 1.0
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
        """Await what a command gives. Who is cancelled has gone at once, whatever the library makes of that."""
        try:
            await self._turn.acquire()
        except BaseException:
            _forget(deed)
            raise
        loop = asyncio.get_running_loop()
        asked, ended = loop.create_task(self._asked(deed)), loop.create_future()
        asked.add_done_callback(partial(self._end, deed, ended))
        try:
            await ended
        except asyncio.CancelledError:
            asked.cancel()
            loop.call_later(_LOST, self._cut, asked)
            await self._close_idle()
            raise
        return asked.result()

    async def ask_all(self, commands: Sequence[tuple[str, ...]]) -> list[Any]:
        """Send some commands at once, each with its words -> their answers."""
        return await self.ask(self._all(commands))

    async def run(self, script: str, keys: Sequence[str], arguments: Sequence[str]) -> Any:
        """Run a script in Lua -> its answer: by its digest, or by its text where the server does not know it yet."""
        return await self.ask(self._run(script, keys, arguments))

    async def close(self) -> None:
        """Give everything back."""
        await self._pool.disconnect()

    async def _asked(self, deed: Awaitable[T]) -> T:
        try:
            return await deed
        except (RedisError, OSError):
            await self._close_idle()
            raise

    async def _close_idle(self) -> None:
        """The server may have been demoted, or be gone: nobody is to wait for it on each connection that is open."""
        await self._pool.disconnect(inuse_connections=False)

    def _end(self, deed: Awaitable[object], ended: "asyncio.Future[None]", asked: "asyncio.Future[Any]") -> None:
        self._turn.release()
        _forget(deed)
        if not ended.done():
            ended.set_result(None)
        elif not asked.cancelled():
            asked.exception()  # of who has gone: nobody hears of it, or asyncio would tell of it in the log

    def _cut(self, asked: "asyncio.Future[Any]") -> None:
        """Close the connection of a question whose cancellation was lost, and with it those of all that are asked."""
        if not asked.done():
            self._leaving = asyncio.ensure_future(self._leave())

    async def _leave(self) -> None:
        with suppress(RedisError, OSError):
            await self._pool.disconnect()

    async def _all(self, commands: Sequence[tuple[str, ...]]) -> list[Any]:
        async with self.client.pipeline(transaction=False) as pipe:
            for words in commands:
                pipe.execute_command(*words)
            return await pipe.execute()

    async def _run(self, script: str, keys: Sequence[str], arguments: Sequence[str]) -> Any:
        try:
            return await self.client.evalsha(_digest(script), len(keys), *keys, *arguments)
        except NoScriptError:
            return await self.client.eval(script, len(keys), *keys, *arguments)


def _forget(deed: Awaitable[object]) -> None:
    """Be done with a command, which may not have begun: Python would warn of it in the log."""
    if asyncio.iscoroutine(deed):
        deed.close()


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
