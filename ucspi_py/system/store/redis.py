"""Records in a Valkey or Redis server, which several hosts may share. The only importer of redis.

To be made in the process that uses it: no connection may cross a fork. Never decides.
"""

import asyncio
import encodings.idna  # noqa: F401  names of hosts need it, and nothing can be imported once root is given up
import time
from collections.abc import Awaitable, Sequence
from functools import cache
from hashlib import sha1
from inspect import signature
from typing import Any, TypeVar

from redis.asyncio import BlockingConnectionPool, Connection, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import NoScriptError, RedisError

from ...core.store.change import Change, Kept, Page, Row, Script, Tenant, key_of, redis_keys, redis_pattern
from . import scripts

T = TypeVar("T")

#: Seconds for one answer of the server; who calls has a deadline for all of them together.
_PATIENCE = 1.0
#: A server that answers in a millisecond serves thousands of clients a second by these.
_CONNECTIONS = 8
#: Names that the server looks at before it answers.
_PAGE = 1000
#: Seconds until the end of a record that somebody has made to have none.
_AGES = 1 << 31

#: One change of one record, as one command: nobody else writes meanwhile. KEYS: as redis_keys().
_SCRIPT = """
local function change(text, argv)
CHANGE
end
local found = redis.call('GET', KEYS[1])
if not found and KEYS[2] then found = redis.call('GET', KEYS[2]) end
local answer, text, life = change(found, ARGV)
if text == '' then
  redis.call('DEL', KEYS[1])
elseif text and text ~= found then
  redis.call('SET', KEYS[1], text, 'EX', life)
end
return answer
"""


class RedisStore:
    """One process's way to the server. Its methods raise redis.RedisError, OSError or ValueError where it fails.

    url: redis:, rediss: or unix:. tenants: nothing has to be made ready for them.
    """

    def __init__(self, url: str, _tenants: Sequence[Tenant]) -> None:
        self._pool = BlockingConnectionPool.from_url(
            url,
            max_connections=_CONNECTIONS,
            timeout=_PATIENCE,
            socket_timeout=_PATIENCE,
            socket_connect_timeout=_PATIENCE,
            retry=Retry(NoBackoff(), 0),  # the client is not to wait twice
            **_understood(protocol=2, driver_info=None),
        )
        self._server: Redis = Redis(connection_pool=self._pool)

    async def open(self) -> None:
        """Ask whether the server is there."""
        await self._asked(self._server.ping())

    async def update(self, key: str, change: Change[T]) -> T:
        """Apply a change to the record of a key, and return its result. Raises ValueError for what is no record."""
        answer = await self._asked(self._run(change, redis_keys(change.tenant, key)))
        if not isinstance(answer, int):
            raise ValueError("there is something else under our keys")
        return change.result(answer)

    async def play(self, script: Script[T]) -> T:
        """Play a script of changes, each a command of its own, and return its result. Raises as update() does."""
        return await scripts.play(script, self.update)

    async def find(self, tenant: Tenant, keys: Sequence[str]) -> list[Kept]:
        """Read the records of some keys, those that there are. Raises ValueError for what is no record."""
        names = [(key, name) for key in keys for name in redis_keys(tenant, key)]
        async with self._server.pipeline(transaction=False) as pipe:
            for _, name in names:
                pipe.get(name)
                pipe.pttl(name)
            answers = await self._asked(pipe.execute())
        now = time.time()
        found: dict[str, Kept] = {}
        for (key, name), text, life in zip(names, answers[::2], answers[1::2], strict=True):
            if text is not None and key not in found:
                found[key] = Kept(key, _parsed(tenant, name, _bytes(text)), _end(now, life))
        return list(found.values())

    async def read_some(self, tenant: Tenant, keys: Sequence[str]) -> tuple[Row, ...]:
        """Read the records of some keys of one neighbourhood, those that there are. Raises ValueError as find does."""
        found = await self._asked(self._server.mget([redis_keys(tenant, key)[0] for key in keys]))
        return tuple(tenant.parse(_bytes(text)) for text in found if text is not None)

    async def page(self, tenant: Tenant, after: str | None, prefix: str = "") -> Page:
        """Read some records -> these and what to ask for the next with; None = that was all. Raises as find does.

        after: what the last call gave; None = the first. prefix: with which the keys begin. A record may come twice, as
        of SCAN; one that was written before there were tags does not come.
        """
        names = redis_pattern(tenant, prefix)
        next_page, found = await self._asked(self._server.scan(int(after or 0), match=names, count=_PAGE))
        some = await self.find(tenant, [key_of(tenant, _bytes(name).decode()) for name in found])
        return some, str(next_page) if next_page else None

    async def forget(self, tenant: Tenant, keys: Sequence[str]) -> int:
        """Forget the records of some keys, no more than a page has -> how many there were."""
        async with self._server.pipeline(transaction=False) as pipe:
            for key in keys:
                pipe.delete(*redis_keys(tenant, key))
            return sum(map(bool, await self._asked(pipe.execute())))

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

    async def _run(self, change: Change[Any], keys: Sequence[str]) -> Any:
        """Run the script by its digest; send its text to a server that has been restarted and does not know it."""
        script, digest = _script(change.lua)
        try:
            return await self._server.evalsha(digest, len(keys), *keys, *map(str, change.arguments))
        except NoScriptError:
            return await self._server.eval(script, len(keys), *keys, *map(str, change.arguments))


def _bytes(found: bytes | str) -> bytes:
    """What the server has; text, where the URL asks for that (decode_responses)."""
    return found if isinstance(found, bytes) else found.encode()


def _parsed(tenant: Tenant, name: str, text: bytes) -> Row:
    try:
        return tenant.parse(text)
    except ValueError as wrong:
        raise ValueError(f"{name}: {wrong}") from None


def _end(now: float, life: int) -> int:
    """The last second of a record. life: milliseconds from now; negative = it has no end."""
    return int(now) + _AGES if life < 0 else int(now + life / 1000) - 1


@cache
def _script(lua: str) -> tuple[str, str]:
    """The script around a change, and its digest."""
    script = _SCRIPT.replace("CHANGE", lua)
    return script, sha1(script.encode(), usedforsecurity=False).hexdigest()


def _understood(**wishes: Any) -> dict[str, Any]:
    """Those of our wishes that the installed redis knows: protocol came with 5.0, driver_info with 7.2."""
    known = {name for kind in Connection.__mro__[:-1] for name in signature(kind).parameters}
    return {name: value for name, value in wishes.items() if name in known}
