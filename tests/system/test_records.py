"""The records of a process in either kind of store: tenants beside each other, and what a store that fails costs."""

import asyncio
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.support.counts import NOW, Count, HashCount
from tests.support.redisserver import store_of
from tests.support.waiting import PATIENCE
from ucspi_py.core.client.limits import NETWORK
from ucspi_py.core.greylist import visit
from ucspi_py.core.greylist.settings import GreylistSettings
from ucspi_py.core.greylist.visit import Visit
from ucspi_py.core.smtp.verdict import Accept, Refuse
from ucspi_py.core.store.change import Change, Outcome, Row, Script, Step, Tenant
from ucspi_py.system.store import look
from ucspi_py.system.store.records import Records, keeper
from ucspi_py.system.store.sqlite import SqliteStore

NET = "192.0.2.0/24"
#: That a server answers late is for another file.
pytestmark = pytest.mark.usefixtures("patient", "own_time")

VISIT = Visit(NOW, GreylistSettings("db", 300, 1_000, 10_000, NETWORK, 60))


TENANTS = (visit.TENANT, Count.tenant, HashCount.tenant)
HASH = "00ff" * 8


@pytest.fixture(params=["sqlite", "redis"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """An empty store of each kind."""
    with store_of(request.param, tmp_path / "db") as kept:
        yield kept


def test_two_tenants(place: str) -> None:
    """Each has its own record of a key, and its own result."""

    async def updates() -> None:
        records = Records(place, TENANTS, pytest.fail)
        await records.open()
        assert await records.update(NET, Count(1)) == 1
        assert isinstance(await records.update(NET, VISIT), Refuse)
        assert await records.update(NET, Count(2)) == 3
        assert await records.update("another", Count(5)) == 5
        await records.close()

    asyncio.run(updates())


def test_a_tenant_whose_keys_are_hashes(place: str) -> None:
    """Each key has its record, also one that is no hash where there are others."""

    async def updates() -> None:
        records = Records(place, TENANTS, pytest.fail)
        assert await records.update(HASH, HashCount(1)) == 1
        assert await records.update(HASH, HashCount(2)) == 3
        assert await records.update("ff" * 16, HashCount(5)) == 5
        assert await records.update(HASH, Count(7)) == 7
        await records.close()

    asyncio.run(updates())


def test_a_hash_in_a_file(tmp_path: Path) -> None:
    """It takes half as many bytes as it has digits, and is read as it was written."""
    db = str(tmp_path / "db")

    async def updates() -> None:
        store = keeper(db)(db, TENANTS)
        await store.update(HASH, HashCount(1))
        assert await store.page(HashCount.tenant, None) == ([(HASH, (1,), NOW + 99)], HASH)
        assert await store.page(HashCount.tenant, HASH) == ([], None)
        await store.close()

    asyncio.run(updates())
    assert asyncio.run(look.record(db, HashCount.tenant, HASH)) == (1,)
    with closing(sqlite3.connect(db)) as connection:
        assert connection.execute("SELECT name FROM hashes").fetchall() == [(bytes.fromhex(HASH),)]


def test_a_tenant_that_comes_later(tmp_path: Path) -> None:
    """A file that others use already gets another table, and nothing is lost."""
    db = tmp_path / "db"

    async def update(tenants: tuple[Tenant, ...]) -> None:
        records = Records(str(db), tenants, pytest.fail)
        assert isinstance(await records.update(NET, VISIT), Refuse)
        await records.close()

    for tenants in (TENANTS[:1], TENANTS):
        asyncio.run(update(tenants))
    with closing(sqlite3.connect(db)) as connection:
        assert connection.execute("SELECT * FROM schema_version ORDER BY name").fetchall() == [
            ("counts", 1),
            ("greylist", 1),
            ("hashes", 1),
        ]
        assert connection.execute("SELECT count(*) FROM greylist").fetchone() == (1,)


def test_many_updates_at_once(place: str) -> None:
    """None of them is lost, whichever process makes it."""

    async def updates() -> None:
        both = [Records(place, TENANTS, pytest.fail) for _ in range(2)]
        for records in both:
            await records.open()
        await asyncio.gather(*(records.update(NET, Count(1)) for records in both for _ in range(20)))
        assert await both[0].update(NET, Count(1)) == 41
        for records in both:
            await records.close()

    asyncio.run(updates())


def script(number: int, second: Change[int] | None = None) -> Script[tuple[int, int]]:
    """Two changes, of which the second hangs on the result of the first."""
    first = yield Step(f"key{number}", Count(number))
    return first, (yield Step(f"other{number}", second or Count(10 * first)))


def test_scripts_at_once(place: str) -> None:
    """Each step knows the results of those before; without a store there is another result."""

    async def play() -> None:
        records, dead = Records(place, TENANTS, pytest.fail), Records("/none/db", TENANTS, lambda _why: None)
        found = await asyncio.gather(*(records.play(script(number), (0, 0)) for number in range(1, 20)))
        assert found == [(number, 10 * number) for number in range(1, 20)]
        assert await records.update("other7", Count(1)) == 71
        assert await dead.play(script(1), (0, 0)) == (0, 0)
        await records.close()
        await dead.close()

    asyncio.run(play())


class Odd(Count):
    """A change that finds no record of its own."""

    def apply(self, record: Row | None, /) -> Outcome[int]:
        """Refuse."""
        raise ValueError(f"{record} is no record")


def test_a_script_that_fails_keeps_no_other_from_its_end(tmp_path: Path) -> None:
    """What it has changed before stays."""

    async def play() -> None:
        store = SqliteStore(str(tmp_path / "db"), TENANTS)
        odd, even = await asyncio.gather(store.play(script(1, Odd(1))), store.play(script(2)), return_exceptions=True)
        assert isinstance(odd, ValueError)
        assert even == (2, 20)
        assert await store.update("key1", Count(1)) == 2
        await store.close()

    asyncio.run(play())


def test_a_file_has_its_size(tmp_path: Path) -> None:
    """Whatever is asked of it, those that expire first go for those that come."""

    async def updates() -> None:
        records = Records(str(tmp_path / "db"), TENANTS, pytest.fail, size=1 << 20)
        for start in range(0, 20_000, 50):
            await asyncio.gather(
                *(records.update(f"{number:032x}", HashCount(1)) for number in range(start, start + 50))
            )
        assert sum(file.stat().st_size for file in tmp_path.iterdir()) < (1 << 20) + 250_000
        assert await records.update(f"{19_999:032x}", HashCount(1)) == 2
        await records.close()

    asyncio.run(updates())


def test_a_store_that_fails(tmp_path: Path) -> None:
    """Each change has the result that it has without one; it is left alone for a while, and one reason is heard."""
    folder, reasons = tmp_path / "missing", list[str]()

    async def updates() -> None:
        records = Records(str(folder / "db"), TENANTS, reasons.append)
        assert await records.update(NET, VISIT) == Accept()
        folder.mkdir()
        assert await records.update(NET, Count(1)) == -1
        assert not list(folder.iterdir())
        async with asyncio.timeout(PATIENCE):
            while await records.update(NET, Count(1)) == -1:
                await asyncio.sleep(0.05)
        await records.close()

    asyncio.run(updates())
    assert reasons == ["unable to open database file"]
