"""What is let in by hand is written twice, in Python for SQLite and in Lua for Redis: both keep the same."""

import asyncio
import itertools
import time
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from tests.support.redisserver import RedisServer
from tests.support.waiting import PATIENCE
from ucspi_py.core.greylist.records.changes import MEMORY, ClientAllowed, NetworkAllowed, TripletAllowed
from ucspi_py.core.greylist.triplet.changes import ClientPass, TripletVisit
from ucspi_py.core.greylist.triplet.settings import TripletSettings
from ucspi_py.core.store.change import Change, Row
from ucspi_py.system.store.redis import RedisStore
from ucspi_py.system.store.sqlite import SqliteStore

NOW = 1_800_000_000
SETTINGS = TripletSettings("db")
NUMBERS = itertools.count()

Kind = type[NetworkAllowed] | type[TripletAllowed] | type[ClientAllowed]
KINDS: tuple[Kind, ...] = (NetworkAllowed, TripletAllowed, ClientAllowed)

allowed = st.sampled_from(KINDS)
earlier = st.lists(st.sampled_from([1, 600, 3_600, 90_000]), max_size=12)

Keepers = tuple[asyncio.Runner, SqliteStore, RedisStore]


@pytest.fixture(scope="module")
def keepers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Keepers]:
    """A file and a server with nothing in them."""
    folder = tmp_path_factory.mktemp("twins")
    tenants = [kind.tenant for kind in KINDS]
    with RedisServer(folder) as server, asyncio.Runner() as runner:
        sqlite, redis = SqliteStore(str(folder / "db"), tenants), RedisStore(server.url, tenants)
        runner.run(sqlite.open())
        yield runner, sqlite, redis
        runner.run(sqlite.close())
        runner.run(redis.close())


def before(change: Change[None], steps: list[int]) -> list[Change[object]]:
    """Visits until now, as the greylists write them."""
    moments = [NOW - sum(steps[place:]) for place in range(len(steps))]
    if isinstance(change, TripletAllowed):
        return [TripletVisit(moment, SETTINGS) for moment in moments]
    if isinstance(change, ClientAllowed):
        return [ClientPass(moment, SETTINGS) for moment in moments]
    return [NetworkAllowed(moment) for moment in moments]


@hypothesis_settings(max_examples=60, deadline=None)
@given(allowed, earlier)
def test_what_is_let_in_by_hand(keepers: Keepers, kind: Kind, steps: list[int]) -> None:
    """Whatever is known of it, it is known for the whole memory from now on."""
    runner, sqlite, redis = keepers
    change = kind(NOW)
    key = f"{next(NUMBERS):032x}"

    async def kept(store: SqliteStore | RedisStore) -> Row:
        for one in (*before(change, steps), change):
            await store.update(key, one)
        if isinstance(store, RedisStore):
            return (await store.find(change.tenant, (key,)))[0].row
        ((found,), _) = await store.page(change.tenant, None, key)
        assert found.expires == NOW + MEMORY
        return found.row

    assert runner.run(kept(sqlite)) == runner.run(kept(redis))


@pytest.mark.parametrize("kind", KINDS)
def test_for_how_long_a_server_keeps_it(keepers: Keepers, kind: Kind) -> None:
    """For the whole memory."""
    runner, _, redis = keepers
    now = int(time.time())
    runner.run(redis.update("f" * 32, kind(now)))

    (found,) = runner.run(redis.find(kind.tenant, ("f" * 32,)))

    assert 0 <= found.expires - (now + MEMORY) <= PATIENCE
