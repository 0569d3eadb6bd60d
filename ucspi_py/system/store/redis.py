"""Records in a Valkey or Redis server, which several hosts may share.

To be made in the process that uses it: no connection may cross a fork. Never decides.
"""

import time
from collections.abc import Sequence
from functools import cache
from itertools import chain, islice
from typing import TypeVar

from ...core.store.change import Change, Kept, Page, Row, Script, Tenant, key_of, redis_keys, redis_pattern
from . import scripts
from .server.redis_server import RedisServer

T = TypeVar("T")

#: Names that the server looks at before it answers.
_PAGE = 1000
#: Seconds until the end of a record that somebody has made to have none.
_AGES = 1 << 31

#: One change of one record, as one command: nobody else writes meanwhile. KEYS: the first of redis_keys(). ARGV: those
#: of the change, of which the first is the time, and behind them the second key, if there is one.
_SCRIPT = """
CLOCK
local function change(text, argv)
CHANGE
end
local found = redis.call('GET', KEYS[1])
OLD
local answer, text, life = change(found, ARGV)
if text == '' then
  redis.call('DEL', KEYS[1])
elseif text and text ~= found then
  redis.call('SET', KEYS[1], text, 'EX', life)
end
return answer
"""

#: The key of an older release is in another slot than that of this one, so it is not named to a cluster, where it may
#: be another server's; there no older release has written any.
_OLD = """
if not found then
  local old = redis.pcall('GET', ARGV[#ARGV])
  if type(old) == 'table' and not string.find(old.err, 'cluster') then return old end
  found = type(old) == 'string' and old
end
"""
#: A user who may not ask for it (ACL) has the time of its host.
_CLOCK = """
local time = redis.pcall('TIME')
if time[1] then ARGV[1] = time[1] end
"""


class RedisStore:
    """One process's way to the server. Its methods raise redis.RedisError, OSError or ValueError where it fails.

    url: redis:, rediss: or unix:. tenants: nothing has to be made ready for them. by_its_clock: whether changes have
    the server's time, and not their own.
    """

    def __init__(self, url: str, _tenants: Sequence[Tenant], *, by_its_clock: bool = False) -> None:
        self._server = RedisServer(url)
        self._by_its_clock = by_its_clock

    async def open(self) -> None:
        """Ask whether the server is there."""
        await self._server.ask(self._server.client.ping())

    async def update(self, key: str, change: Change[T]) -> T:
        """Apply a change to the record of a key, and return its result. Raises ValueError for what is no record."""
        name, *old = redis_keys(change.tenant, key)
        script = _script(change.lua, has_old=bool(old), by_its_clock=self._by_its_clock)
        answer = await self._server.run(script, (name,), (*map(str, change.arguments), *old))
        if not isinstance(answer, int):
            raise ValueError("there is something else under our keys")
        return change.result(answer)

    async def play(self, script: Script[T]) -> T:
        """Play a script of changes, each a command of its own, and return its result. Raises as update() does."""
        return await scripts.play(script, self.update)

    async def find(self, tenant: Tenant, keys: Sequence[str]) -> list[Kept]:
        """Read the records of some keys, those that there are. Raises ValueError for what is no record."""
        names = [(key, name) for key in keys for name in redis_keys(tenant, key)]
        answers = await self._server.ask_all([(word, name) for _, name in names for word in ("GET", "PTTL")])
        now = time.time()
        found: dict[str, Kept] = {}
        for (key, name), text, life in zip(names, answers[::2], answers[1::2], strict=True):
            if text is not None and key not in found:
                found[key] = Kept(key, _parsed(tenant, name, _bytes(text)), _end(now, life))
        return list(found.values())

    async def read_some(self, tenant: Tenant, keys: Sequence[str]) -> tuple[Row, ...]:
        """Read the records of some keys of one neighbourhood, those that there are. Raises ValueError as find does."""
        found = await self._server.ask(self._server.client.mget([redis_keys(tenant, key)[0] for key in keys]))
        return tuple(tenant.parse(_bytes(text)) for text in found if text is not None)

    async def page(self, tenant: Tenant, after: str | None, prefix: str = "") -> Page:
        """Read some records -> these and what to ask for the next with; None = that was all. Raises as find does.

        after: what the last call gave; None = the first. prefix: with which the keys begin. A record may come twice, as
        of SCAN; one that was written before there were tags does not come.
        """
        names = redis_pattern(tenant, prefix)
        next_page, found = await self._server.ask(self._server.client.scan(int(after or 0), match=names, count=_PAGE))
        some = await self.find(tenant, [key_of(tenant, _bytes(name).decode()) for name in found])
        return some, str(next_page) if next_page else None

    async def forget(self, tenant: Tenant, keys: Sequence[str]) -> int:
        """Forget the records of some keys, no more than a page has -> how many there were."""
        names = [redis_keys(tenant, key) for key in keys]
        gone = iter(await self._server.ask_all([("DEL", name) for name in chain.from_iterable(names)]))
        return sum(any(tuple(islice(gone, len(each)))) for each in names)

    async def close(self) -> None:
        """Give everything back."""
        await self._server.close()


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
def _script(lua: str, *, has_old: bool, by_its_clock: bool) -> str:
    """The script around a change."""
    around = _SCRIPT.replace("CLOCK", _CLOCK if by_its_clock else "").replace("OLD", _OLD if has_old else "")
    return around.replace("CHANGE", lua)
