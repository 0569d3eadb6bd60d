"""A grant and a revocation are written twice, in Python for SQLite and in Lua for Redis: both say and keep the same."""

import asyncio
import ipaddress
import itertools
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from tests.support.redisserver import RedisServer
from ucspi_py.core.ledger.changes import TENANT, Granting, Revoking
from ucspi_py.core.ledger.grant import AHEAD, How
from ucspi_py.core.store.change import redis_keys
from ucspi_py.system.store.redis import RedisStore
from ucspi_py.system.store.sqlite import SqliteStore

NOW, LIFE = 1_800_000_000, 900
#: 10.0.0.0
_FIRST = 10 << 24

#: Where something changes, a second before and after; and any time, as a clock may show it.
steps = st.sampled_from([0, 1, LIFE, 60, AHEAD]).flatmap(lambda at: st.integers(at - 1, at + 1))
clocks = steps | steps.map(lambda step: -step) | st.integers(-(2**31), 2**31)
names = st.sampled_from([b"joe", b"ann", b"", b"-", b"%", b"j\xc3\xb6 e"])
lives = st.sampled_from([LIFE, 60])
changes = st.one_of(
    st.builds(
        Granting,
        now=clocks,
        seconds=lives,
        most=st.integers(1, 3),
        how=st.sampled_from([How.POP3, How.HAND]),
        user=names,
        by=names,
        relayclient=names,
        channel=names,
    ),
    st.builds(Revoking, now=clocks, user=st.none() | names),
)


class Twins:
    """Both keepers, and what each of them has."""

    def __init__(self, folder: Path, server: RedisServer) -> None:
        self._file = str(folder / "db")
        self._server = server
        self._runner = asyncio.Runner()
        self._sqlite = SqliteStore(self._file, (TENANT,))
        self._redis = RedisStore(server.url, (TENANT,))
        self._runner.run(self._sqlite.open())
        self._numbers = itertools.count()

    def close(self) -> None:
        """Give everything back."""
        self._runner.run(self._sqlite.close())
        self._runner.run(self._redis.close())
        self._runner.close()

    def address(self) -> str:
        """An address of which nobody has heard."""
        return str(ipaddress.IPv4Address(_FIRST + next(self._numbers)))

    def change(self, key: str, change: Granting | Revoking) -> tuple[int, int]:
        """The results of both."""
        return self._runner.run(self._change(key, change))

    async def _change(self, key: str, change: Granting | Revoking) -> tuple[int, int]:
        return await self._sqlite.update(key, change), await self._redis.update(key, change)

    def kept(self, key: str) -> tuple[str | None, str | None, float, float]:
        """The record of each, and for how many seconds from now it keeps that."""
        with closing(sqlite3.connect(self._file)) as connection:
            row = connection.execute("SELECT grants, expires FROM relay WHERE address = ?", (key,)).fetchone()
        name = redis_keys(TENANT, key)[0]
        found = self._runner.run(self._redis.find(TENANT, (key,)))
        life = int(self._server.ask(f'PTTL "{name}"')[1:]) / 1000
        in_sqlite, expires = row or (None, 0)
        return in_sqlite, found[0].row[0] if found else None, expires, life


@pytest.fixture(scope="module")
def twins(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Twins]:
    """A file and a server with nothing in them."""
    folder = tmp_path_factory.mktemp("twins")
    with RedisServer(folder) as server:
        both = Twins(folder, server)
        yield both
        both.close()


@hypothesis_settings(max_examples=100, deadline=None)
@given(some=st.lists(changes, min_size=1, max_size=8))
def test_changes_of_either_store(twins: Twins, some: list[Granting | Revoking]) -> None:
    """Whoever logs in, and however the clock is stepped: the same grants, for as long."""
    key, now, before = twins.address(), NOW, None
    for change in some:
        now = max(now + change.now, 1)
        by_sqlite, by_redis = twins.change(key, at(change, now))

        assert by_sqlite == by_redis
        in_sqlite, in_redis, last, life = twins.kept(key)
        assert in_sqlite == in_redis
        if in_redis is not None and in_redis != before:
            assert last - now + 1 - 5 < life <= last - now + 1
        before = in_redis


def at(change: Granting | Revoking, now: int) -> Granting | Revoking:
    """The change, made at a time."""
    return replace(change, now=now)
