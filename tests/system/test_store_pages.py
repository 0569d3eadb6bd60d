"""Records listed by the beginning of their keys, and forgotten, in either kind of store."""

import asyncio
import sqlite3
import time
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

import pytest

from tests.support.counts import NOW, Count, HashCount, NeighbourCount
from tests.support.redisserver import RedisServer
from tests.support.waiting import PATIENCE
from ucspi_py.core.errors import Failure
from ucspi_py.core.store.change import Kept, Row, Tenant
from ucspi_py.system.store import look
from ucspi_py.system.store.records import keeper

KINDS = (Count, HashCount, NeighbourCount)
TENANTS = tuple(kind.tenant for kind in KINDS)
#: Keys of one beginning, more than a page has.
MANY = tuple(f"aa{number:030x}" for number in range(1, 2_500))
OTHERS = ("a9" + "ff" * 15, "ab" + "00" * 15)


@pytest.fixture(params=["file", "server"])
def place(request: pytest.FixtureRequest, redis: RedisServer, tmp_path: Path) -> str:
    """An empty store of each kind."""
    return redis.url if request.param == "server" else str(tmp_path / "db")


def fill(place: str, kind: type[Count], keys: Iterable[str], now: int = NOW) -> None:
    """Count one for each key."""

    async def updates() -> None:
        store = keeper(place)(place, TENANTS)
        for key in keys:
            await store.update(key, kind(1, now))
        await store.close()

    asyncio.run(updates())


def listed(place: str, tenant: Tenant, prefix: str = "") -> list[tuple[str, Row]]:
    """The records whose keys begin so, by their keys."""

    async def records() -> list[tuple[str, Row]]:
        return sorted({one.key: one.row async for one in look.records(place, tenant, prefix)}.items())

    return asyncio.run(records())


def found(place: str, tenant: Tenant, *keys: str) -> list[Kept]:
    """Those of the records that there are."""
    return asyncio.run(look.find(place, tenant, keys))


def forgotten(place: str, tenant: Tenant, *keys: str) -> int:
    """How many records were there."""

    async def forget() -> int:
        store = keeper(place)(place, TENANTS)
        try:
            return await store.forget(tenant, keys)
        finally:
            await store.close()

    return asyncio.run(forget())


@pytest.mark.parametrize("kind", KINDS)
def test_records_by_the_beginning_of_their_keys(kind: type[Count], place: str) -> None:
    """All of them come, however many, and no others, neither of other keys nor of other tenants."""
    fill(place, kind, (*MANY, *OTHERS))
    for other in KINDS:
        if other is not kind:
            fill(place, other, MANY[:5])

    assert listed(place, kind.tenant, "aa") == [(key, (1,)) for key in MANY]
    assert listed(place, kind.tenant, MANY[0]) == [(MANY[0], (1,))]
    assert listed(place, kind.tenant) == [(key, (1,)) for key in sorted((*MANY, *OTHERS))]
    assert listed(place, kind.tenant, "0123") == []


@pytest.mark.parametrize("kind", KINDS)
def test_records_by_their_keys(kind: type[Count], place: str) -> None:
    """Each with the last second for which it counts, however it is read."""
    now = int(time.time())
    fill(place, kind, MANY[:3], now)

    some = found(place, kind.tenant, MANY[9], MANY[1])

    assert [one[:2] for one in some] == [(MANY[1], (1,))]
    assert 0 <= some[0].expires - (now + 99) <= PATIENCE
    assert found(place, kind.tenant) == []


def test_a_record_without_an_end(redis: RedisServer) -> None:
    """Whoever has persisted it finds it there."""
    redis.ask("SET u1:{a}:n 1")

    assert found(redis.url, Count.tenant, "a")[0].expires > time.time() + 2**30


def test_what_is_no_record_is_named(redis: RedisServer) -> None:
    """Somebody has to take it away by hand."""
    redis.ask("SET u1:{a}:n nonsense")

    with pytest.raises(Failure) as failure:
        listed(redis.url, Count.tenant)

    assert "u1:{a}:n: " in failure.value.sentence


def test_a_record_of_before_there_were_tags_is_found(redis: RedisServer) -> None:
    """Unless it was written under its new name since."""
    redis.ask("SET old:a 1")
    redis.ask("SET old:b 2")
    redis.ask("SET u1:{b}:n 3")

    assert [one[:2] for one in found(redis.url, Count.tenant, "a", "b", "c")] == [("a", (1,)), ("b", (3,))]


def test_a_beginning_means_itself(place: str) -> None:
    """No letter of it stands for others."""
    keys = (r"a*b", r"a?b", r"a[bc]", r"a\b", "a%b", "a_b", "axb", "ab")
    fill(place, Count, keys)

    for key in keys[:-1]:
        assert listed(place, Count.tenant, key[:2]) == [(key, (1,))]


@pytest.mark.parametrize("kind", KINDS)
def test_records_are_forgotten(kind: type[Count], place: str) -> None:
    """Only those that are named, and of one tenant; one that is not there is not counted."""
    for one in KINDS:
        fill(place, one, MANY[:4])

    assert forgotten(place, kind.tenant, MANY[0], MANY[2], MANY[9]) == 2

    assert listed(place, kind.tenant) == [(MANY[1], (1,)), (MANY[3], (1,))]
    for one in KINDS:
        assert one is kind or len(listed(place, one.tenant)) == 4


def test_a_record_of_before_there_were_tags_is_forgotten_too(redis: RedisServer) -> None:
    """Under either name there is nothing left, and it counts once."""
    redis.ask("SET old:a 1")
    fill(redis.url, Count, ("a",))

    assert forgotten(redis.url, Count.tenant, "a") == 1

    assert redis.ask("DBSIZE") == b":0"


@pytest.mark.parametrize("made", [False, True], ids=["no file", "no such tenant"])
def test_a_file_where_the_tenant_never_was(made: bool, tmp_path: Path) -> None:
    """It has no records of its, and it gets no table."""
    db = tmp_path / "db"
    if made:
        with closing(sqlite3.connect(db)) as connection, connection:
            connection.execute("CREATE TABLE others (name TEXT)")

    assert listed(str(db), Count.tenant) == []
    assert asyncio.run(look.record(str(db), Count.tenant, "a")) is None

    assert db.exists() == made
    if made:
        with closing(sqlite3.connect(db)) as connection:
            assert connection.execute("SELECT name FROM sqlite_master").fetchall() == [("others",)]
