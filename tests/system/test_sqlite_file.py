"""What the file of records costs whoever uses it: changes made together, checkpoints behind the back of a writer."""

import asyncio
import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.checkout import ROOT
from tests.support.counts import Count
from tests.support.waiting import PATIENCE, until
from ucspi_py.core.store.change import Outcome, Row
from ucspi_py.system.store import look
from ucspi_py.system.store.file.checkpoints import Checkpoints
from ucspi_py.system.store.sqlite import SqliteStore

TENANTS = (Count.tenant,)

#: Another process that wants the file for itself alone, as who closes it last does.
_TAKE = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], timeout=0)
try:
    print(connection.execute("PRAGMA journal_mode = DELETE").fetchone()[0])
except sqlite3.OperationalError as error:
    print(error)
"""

#: A worker that counts, with checkpoints of its own.
_COUNT = """
import asyncio, sys
from tests.support.counts import Count
from ucspi_py.system.store.sqlite import SqliteStore

async def count():
    store = SqliteStore(sys.argv[1], (Count.tenant,), busy=30)
    for start in range(0, 2_000, 20):
        await asyncio.gather(*(store.update(f"{number % 50}", Count(1)) for number in range(start, start + 20)))
    await store.close()

asyncio.run(count())
"""


@dataclass(frozen=True, slots=True)
class Unreadable(Count):
    """What finds a record that is none."""

    def apply(self, record: Row | None, /) -> Outcome[int]:
        """Fail, as a parser does."""
        raise ValueError(f"no record: {record}")


def test_a_record_that_is_none_among_others(tmp_path: Path) -> None:
    """Whoever asks about it hears of it, and nobody else whose change is made in the same transaction."""

    async def updates() -> list[int | BaseException]:
        store = SqliteStore(str(tmp_path / "db"), TENANTS)
        changes = (Count(1), Unreadable(1), Count(2), Unreadable(1), Count(3))
        answers = await asyncio.gather(*(store.update("a", change) for change in changes), return_exceptions=True)
        await store.close()
        return answers

    answers = asyncio.run(updates())

    assert [str(answer) for answer in answers] == ["1", "no record: (1,)", "3", "no record: (3,)", "6"]


def test_who_waits_no_longer_is_not_waited_for(tmp_path: Path) -> None:
    """What was given up before its turn came is not done; what comes behind it is."""

    async def updates() -> int:
        store = SqliteStore(str(tmp_path / "db"), TENANTS)
        first = asyncio.ensure_future(store.update("a", Count(1)))
        await asyncio.sleep(0)  # it has its turn
        given_up = asyncio.ensure_future(store.update("a", Count(10)))
        last = asyncio.ensure_future(store.update("a", Count(100)))
        await asyncio.sleep(0)
        given_up.cancel()
        assert await first == 1
        result = await last
        await store.close()
        return result

    assert asyncio.run(updates()) == 101


def test_a_store_that_fails_fails_for_all_who_wait(tmp_path: Path) -> None:
    """Nobody is forgotten, and who comes when it is repaired is served."""
    folder = tmp_path / "missing"

    async def updates() -> None:
        store = SqliteStore(str(folder / "db"), TENANTS)
        asked = (store.update(f"{number}", Count(1)) for number in range(120))
        answers = await asyncio.gather(*asked, return_exceptions=True)
        assert {str(answer) for answer in answers} == {"unable to open database file"}
        folder.mkdir()
        assert await store.update("a", Count(1)) == 1
        await store.close()

    asyncio.run(updates())


def test_a_checkpoint_behind_the_back_of_a_writer(tmp_path: Path) -> None:
    """All that was written stands in the file itself, though no writer has moved it there."""
    db = tmp_path / "db"
    checkpoints = Checkpoints(str(db))
    with closing(sqlite3.connect(db, isolation_level=None)) as writer:
        writer.executescript("PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0; CREATE TABLE t (x)")
        with writer:
            writer.execute("BEGIN")
            writer.executemany("INSERT INTO t VALUES (?)", ((number,) for number in range(600)))

        assert not checkpoints.count(499)
        assert not checkpoints.count(1)
        until(lambda: checkpoints.count(1), "the checkpoint to end")
        assert not checkpoints.count(1)

        with closing(sqlite3.connect(f"file:{db}?immutable=1", uri=True)) as reader:
            assert reader.execute("SELECT count(*) FROM t").fetchone() == (600,)
    checkpoints.close()


def test_the_wal_is_begun_again(tmp_path: Path) -> None:
    """It has no more than has come since the last checkpoints, however much is written."""
    db = tmp_path / "db"

    async def updates() -> None:
        store = SqliteStore(str(db), TENANTS)
        for start in range(0, 4_000, 20):
            await asyncio.gather(*(store.update(f"{number}", Count(1)) for number in range(start, start + 20)))
        assert (tmp_path / "db-wal").stat().st_size < 12_000_000
        await store.close()

    asyncio.run(updates())
    assert os.listdir(tmp_path) == ["db"]


def test_locks_outlive_a_look_and_a_checkpoint(tmp_path: Path) -> None:
    """Neither of them closes a descriptor of the file, which would give up the locks that SQLite has on it."""
    db = str(tmp_path / "db")

    async def updates() -> bytes:
        store = SqliteStore(db, TENANTS)
        await store.update("a", Count(1))
        assert await look.record(db, Count.tenant, "a") == (1,)
        checkpoints = Checkpoints(db)
        checkpoints.count(500)
        checkpoints.close()
        taken = subprocess.run([sys.executable, "-c", _TAKE, db], capture_output=True, check=True)
        await store.close()
        return taken.stdout

    assert asyncio.run(updates()) == b"database is locked\n"


@pytest.mark.parametrize("removed", [False, True])
def test_what_a_checkpoint_keeps_open(removed: bool, tmp_path: Path) -> None:
    """A file that is there, and no longer one that has been removed: its room on the disk is given back."""
    old, new = tmp_path / "old", tmp_path / "new"
    for db in (old, new):
        with closing(sqlite3.connect(db)) as connection:
            connection.execute("PRAGMA journal_mode = WAL")

    _checkpoint(old)
    if removed:
        old.unlink()
    _checkpoint(new)

    opened = {os.readlink(f"/proc/self/fd/{number}") for number in os.listdir("/proc/self/fd") if _is_open(number)}
    assert (str(old) in opened) != removed
    assert f"{old} (deleted)" not in opened
    assert str(new) in opened


def _checkpoint(db: Path) -> None:
    checkpoints = Checkpoints(str(db))
    checkpoints.count(500)
    checkpoints.close()


def _is_open(number: str) -> bool:
    return os.path.lexists(f"/proc/self/fd/{number}")


def test_workers_that_write_at_once(tmp_path: Path) -> None:
    """No change of any of them is lost, whoever makes a checkpoint meanwhile, and the file is whole."""
    db = str(tmp_path / "db")
    workers = [subprocess.Popen([sys.executable, "-c", _COUNT, db], cwd=ROOT) for _ in range(2)]

    assert [worker.wait(PATIENCE) for worker in workers] == [0, 0]

    with closing(sqlite3.connect(db)) as connection:
        assert connection.execute("SELECT min(count), max(count), count(*) FROM counts").fetchone() == (80, 80, 50)
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
