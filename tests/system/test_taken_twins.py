"""What is taken over from postgrey is written twice, in Python for SQLite and in Lua for Redis: both keep the same."""

import asyncio
import itertools
from collections.abc import Iterator
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from tests.support.redisserver import RedisServer
from ucspi_py.core.greylist.triplet.changes import CLIENTS, TRIPLETS
from ucspi_py.core.greylist.triplet.decision import Client, Triplet
from ucspi_py.core.greylist.triplet.settings import TripletSettings
from ucspi_py.core.postgrey.taking import ClientTaken, TripletTaken
from ucspi_py.core.store.change import Row
from ucspi_py.system.store.redis import RedisStore
from ucspi_py.system.store.sqlite import SqliteStore

NOW = 1_800_000_000
SETTINGS = TripletSettings("db")
NUMBERS = itertools.count()

moments = st.integers(NOW - 700, NOW)
triplets = st.tuples(moments, st.sampled_from([0, 299, 300, 301])).map(lambda pair: Triplet(pair[0], sum(pair)))
clients = st.builds(Client, st.integers(0, 6), moments)
changes = st.lists(triplets.map(lambda one: TripletTaken(NOW, one, SETTINGS)), min_size=1, max_size=4) | st.lists(
    clients.map(lambda one: ClientTaken(NOW, one, SETTINGS.max_age)), min_size=1, max_size=4
)


class Keepers(NamedTuple):
    """Both, and what runs them."""

    runner: asyncio.Runner
    sqlite: SqliteStore
    redis: RedisStore


@pytest.fixture(scope="module")
def keepers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Keepers]:
    """A file and a server with nothing in them."""
    folder = tmp_path_factory.mktemp("twins")
    with RedisServer(folder) as server, asyncio.Runner() as runner:
        found = Keepers(
            runner, SqliteStore(str(folder / "db"), (TRIPLETS, CLIENTS)), RedisStore(server.url, (TRIPLETS, CLIENTS))
        )
        runner.run(found.sqlite.open())
        yield found
        runner.run(found.sqlite.close())
        runner.run(found.redis.close())


@hypothesis_settings(max_examples=80, deadline=None)
@given(changes)
def test_what_is_taken_over_one_after_the_other(keepers: Keepers, some: list[TripletTaken] | list[ClientTaken]) -> None:
    """Of one key."""
    key = f"{next(NUMBERS):032x}"

    async def kept(store: SqliteStore | RedisStore) -> tuple[list[bool], Row]:
        answers = [await store.update(key, change) for change in some]
        ((found,), _) = await store.page(some[0].tenant, None, key)
        return answers, found.row

    assert keepers.runner.run(kept(keepers.sqlite)) == keepers.runner.run(kept(keepers.redis))


def test_a_pass_outdoes_a_wait_and_otherwise_the_later_one_stays() -> None:
    """However it came there."""
    passed, waits = Triplet(NOW - 900, NOW - 500), Triplet(NOW - 5, NOW - 5)
    later = Triplet(NOW - 900, NOW - 400)

    def kept(before: Triplet, after: Triplet) -> Row | None:
        return TripletTaken(NOW, after, SETTINGS).apply(before).record

    assert kept(waits, passed) == kept(passed, waits) == passed
    assert kept(passed, later) == kept(later, passed) == later
