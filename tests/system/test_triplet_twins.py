"""The changes of triplets and their clients are written twice, in Python and in Lua: both say and keep the same."""

import asyncio
import itertools
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from tests.support.redisserver import RedisServer
from ucspi_py.core.greylist.triplet.changes import (
    CLIENTS,
    TRIPLETS,
    ClientKnown,
    ClientPass,
    ClientVisit,
    TripletVisit,
)
from ucspi_py.core.greylist.triplet.key import triplet_key
from ucspi_py.core.greylist.triplet.settings import TripletSettings
from ucspi_py.core.greylist.visit import TENANT as NETWORKS
from ucspi_py.core.greylist.visit import NetworkKnown
from ucspi_py.core.store.change import Change, Row, Tenant, redis_keys
from ucspi_py.system.store.redis import RedisStore
from ucspi_py.system.store.sqlite import SqliteStore

NOW = 1_800_000_000
DELAY, WINDOW, AGE, HOUR, ENOUGH = 300, 1000, 20_000, 3600, 3

#: Where one of the settings makes a difference, a second before and after; and any time, as a clock may show it.
edges = (0, 1, DELAY, WINDOW, WINDOW + WINDOW // 100, AGE // 100, AGE, AGE + AGE // 100, HOUR)
spans = st.sampled_from(edges).flatmap(lambda at: st.integers(max(at - 1, 0), at + 1))
clocks = st.lists(spans | spans.map(lambda span: -span) | st.integers(-(2**31), 2**31), min_size=1, max_size=6)
times = spans.map(lambda span: NOW - span) | st.integers(NOW - AGE - WINDOW, NOW + DELAY)
asked = st.builds(
    TripletSettings,
    st.just("db"),
    delay=st.sampled_from([DELAY, DELAY, 0]),
    retry_window=st.just(WINDOW),
    max_age=st.just(AGE),
    auto_whitelist_clients=st.sampled_from([ENOUGH, 0]),
)


def _client_known(now: int, settings: TripletSettings) -> Change[Any]:
    return ClientKnown(now, settings.max_age)


def _network_known(now: int, settings: TripletSettings) -> Change[Any]:
    return NetworkKnown(now, settings.max_age)


#: What makes a change, and the records that it may find.
CHANGES: dict[Callable[[int, TripletSettings], Change[Any]], st.SearchStrategy[Row]] = {
    TripletVisit: st.tuples(times, times, st.none() | spans),
    ClientVisit: st.tuples(st.integers(1, ENOUGH + 1), times),
    ClientPass: st.tuples(st.integers(1, ENOUGH + 1), times),
    _client_known: st.tuples(st.integers(1, ENOUGH + 1), times),
    _network_known: st.tuples(times, st.none() | times),
}


class Twins:
    """Both keepers, and what each of them has of a key."""

    def __init__(self, folder: Path, server: RedisServer) -> None:
        self._server = server
        self._runner = asyncio.Runner()
        self._sqlite = SqliteStore(str(folder / "db"), (TRIPLETS, CLIENTS, NETWORKS))
        self._redis = RedisStore(server.url, ())
        self._runner.run(self._sqlite.open())
        self._file = sqlite3.connect(folder / "db", isolation_level=None)
        self._numbers = itertools.count()

    def close(self) -> None:
        """Give everything back."""
        self._file.close()
        self._runner.run(self._sqlite.close())
        self._runner.run(self._redis.close())
        self._runner.close()

    def key(self) -> str:
        """One of which nobody has heard."""
        return triplet_key(b"%d" % next(self._numbers), b"", b"")

    def keep(self, tenant: Tenant, key: str, record: Row) -> None:
        """Have both keep a record for long."""
        marks = ", ".join("?" * (len(record) + 2))
        put = f"INSERT INTO {tenant.table} VALUES ({marks})"  # noqa: S608  # names of our own, as below
        self._file.execute(put, (_kept(tenant, key), *record, 2**62))
        self._server.ask(f'SET "{redis_keys(tenant, key)[0]}" "{_text(record)}"')

    def change(self, key: str, change: Change[Any]) -> tuple[Any, Any]:
        """What both say to a change."""
        return self._runner.run(self._change(key, change))

    def kept(self, tenant: Tenant, key: str) -> tuple[bytes, bytes]:
        """The record of each, as Redis has it."""
        query = f"SELECT * FROM {tenant.table} WHERE {tenant.key} = ?"  # noqa: S608
        found = self._file.execute(query, (_kept(tenant, key),)).fetchone()
        return _text(found[1:-1]).encode() if found else b"$-1", self._server.ask(f'GET "{redis_keys(tenant, key)[0]}"')

    def lives(self, tenant: Tenant, key: str, now: int) -> tuple[float, float]:
        """For how many seconds from a time each of them keeps what it has written there."""
        query = f"SELECT expires FROM {tenant.table} WHERE {tenant.key} = ?"  # noqa: S608
        (expires,) = self._file.execute(query, (_kept(tenant, key),)).fetchone()
        milliseconds = self._server.ask(f'PTTL "{redis_keys(tenant, key)[0]}"')
        return expires - now + 1, int(milliseconds[1:]) / 1000

    def put(self, name: str, text: str) -> None:
        """Have Redis keep a text under a name."""
        self._server.ask(f'SET "{name}" "{text}"')

    def got(self, name: str) -> bytes:
        """What Redis has there."""
        return self._server.ask(f'GET "{name}"')

    async def _change(self, key: str, change: Change[Any]) -> tuple[Any, Any]:
        return await self._sqlite.update(key, change), await self._redis.update(key, change)


def _kept(tenant: Tenant, key: str) -> str | bytes:
    return bytes.fromhex(key) if tenant.has_hex_keys else key


def _text(record: Row) -> str:
    return " ".join("-" if value is None else str(value) for value in record)


@pytest.fixture(scope="module")
def twins(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Twins]:
    """A file and a server with nothing in them."""
    folder = tmp_path_factory.mktemp("twins")
    with RedisServer(folder) as server, closing(Twins(folder, server)) as both:
        yield both


@pytest.mark.parametrize("make", CHANGES)
@hypothesis_settings(max_examples=80, deadline=None)
@given(data=st.data(), settings=asked, clock=clocks)
def test_a_change_in_either_store(
    twins: Twins,
    make: Callable[[int, TripletSettings], Change[Any]],
    data: st.DataObject,
    settings: TripletSettings,
    clock: list[int],
) -> None:
    """Whatever is known, and however the clock is stepped between the changes."""
    key, now, tenant = twins.key(), NOW, make(NOW, settings).tenant
    record = data.draw(st.none() | CHANGES[make])
    if record is not None:
        twins.keep(tenant, key, record)
    before = twins.kept(tenant, key)[1]
    for step in clock:
        now = max(now + step, 0)
        started = time.monotonic()
        by_sqlite, by_redis = twins.change(key, make(now, settings))

        assert by_sqlite == by_redis
        in_sqlite, in_redis = twins.kept(tenant, key)
        assert in_sqlite == in_redis
        if in_redis not in (before, b"$-1"):
            life_in_sqlite, life_in_redis = twins.lives(tenant, key, now)
            assert life_in_sqlite - (time.monotonic() - started) - 0.01 <= life_in_redis <= life_in_sqlite
        before = in_redis


@pytest.mark.parametrize("make", CHANGES)
@pytest.mark.parametrize("text", ["", "x", "1", "1 x", "1 2 x", "1 2 3 4", "-1 2", "99999 x 1"])
def test_what_is_no_record_is_not_touched(
    twins: Twins, make: Callable[[int, TripletSettings], Change[Any]], text: str
) -> None:
    """It stays, and the change fails."""
    key, change = twins.key(), make(NOW, TripletSettings("db"))
    name = redis_keys(change.tenant, key)[0]
    twins.put(name, text)

    with pytest.raises(ValueError, match="something else under our keys"):
        twins.change(key, change)

    assert twins.got(name) == text.encode()
