"""A change is written twice, in Python for SQLite and in Lua for Redis: both say and keep the same."""

import asyncio
import itertools
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from tests.support.redisserver import RedisServer
from ucspi_py.core.client.limits import NETWORK
from ucspi_py.core.greylist.network import Record
from ucspi_py.core.greylist.settings import GreylistSettings
from ucspi_py.core.greylist.visit import TENANT, Visit
from ucspi_py.core.smtp.verdict import Verdict
from ucspi_py.core.store.change import redis_keys
from ucspi_py.system.store.redis import RedisStore
from ucspi_py.system.store.sqlite import SqliteStore

DELAY, MEMORY = 300, 20_000
SETTINGS = GreylistSettings("db", DELAY, 1_000, MEMORY, NETWORK, 60)

#: Where one of the settings makes a difference, a second before and after; and any time, as a clock may show it.
steps = st.sampled_from([0, 1, DELAY, 1_000, MEMORY // 100, MEMORY]).flatmap(lambda at: st.integers(at - 1, at + 1))
clocks = st.lists(steps | steps.map(lambda step: -step) | st.integers(-(2**31), 2**31), min_size=1, max_size=8)
times = st.integers(1_800_000_000 - MEMORY - 2, 1_800_000_000 + 2)
known = st.none() | st.builds(Record, times, st.none() | times)


class Twins:
    """Both keepers, and what each of them has of a network."""

    def __init__(self, folder: Path, server: RedisServer) -> None:
        self._file = str(folder / "db")
        self._server = server
        self._runner = asyncio.Runner()
        self.sqlite = SqliteStore(self._file, (TENANT,))
        self.redis = RedisStore(server.url, (TENANT,))
        self._runner.run(self.sqlite.open())
        self._numbers = itertools.count()

    def close(self) -> None:
        """Give everything back."""
        self._runner.run(self.sqlite.close())
        self._runner.run(self.redis.close())
        self._runner.close()

    def network(self, record: Record | None) -> str:
        """A network of which an older release has left this record, in both."""
        network = f"network {next(self._numbers)}"
        if record is not None:
            with closing(sqlite3.connect(self._file)) as connection, connection:
                connection.execute("INSERT INTO greylist VALUES (?, ?, ?, ?)", (network, *record, 2**62))
            self._server.ask(f'SET "greylist:{network}" "{text(record)}"')
        return network

    def visit(self, network: str, visit: Visit) -> tuple[Verdict, Verdict]:
        """The verdicts of both."""
        return self._runner.run(self._visit(network, visit))

    async def _visit(self, network: str, visit: Visit) -> tuple[Verdict, Verdict]:
        return await self.sqlite.update(network, visit), await self.redis.update(network, visit)

    def kept(self, network: str) -> tuple[bytes, bytes]:
        """The record of each, as Redis has it."""
        with closing(sqlite3.connect(self._file)) as connection:
            row = connection.execute("SELECT first, passed FROM greylist WHERE network = ?", (network,)).fetchone()
        new, old = (self._server.ask(f'GET "{key}"') for key in redis_keys(TENANT, network))
        return text(Record(*row)).encode(), old if new == b"$-1" else new

    def lives(self, network: str, now: int) -> tuple[float, float]:
        """For how many seconds from a visit each of them keeps what it has written there."""
        with closing(sqlite3.connect(self._file)) as connection:
            (expires,) = connection.execute("SELECT expires FROM greylist WHERE network = ?", (network,)).fetchone()
        milliseconds = self._server.ask(f'PTTL "{redis_keys(TENANT, network)[0]}"')
        return expires - now + 1, int(milliseconds[1:]) / 1000


def text(record: Record) -> str:
    """A record as Redis has it."""
    return f"{record.first} {'-' if record.passed is None else record.passed}"


@pytest.fixture(scope="module")
def twins(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Twins]:
    """A file and a server with nothing in them."""
    folder = tmp_path_factory.mktemp("twins")
    with RedisServer(folder) as server:
        both = Twins(folder, server)
        yield both
        both.close()


@hypothesis_settings(max_examples=150, deadline=None)
@given(record=known, clock=clocks)
def test_a_visit_to_either_store(twins: Twins, record: Record | None, clock: list[int]) -> None:
    """Whatever is known of a network, and however the clock is stepped between its visits."""
    network = twins.network(record)
    now, before = 1_800_000_000, record and text(record).encode()
    for step in clock:
        now = max(now + step, 0)
        started = time.monotonic()
        by_sqlite, by_redis = twins.visit(network, Visit(now, SETTINGS))

        assert by_sqlite == by_redis
        in_sqlite, in_redis = twins.kept(network)
        assert in_sqlite == in_redis
        if in_redis != before:
            life_in_sqlite, life_in_redis = twins.lives(network, now)
            assert life_in_sqlite - (time.monotonic() - started) - 0.01 <= life_in_redis <= life_in_sqlite
        before = in_redis
