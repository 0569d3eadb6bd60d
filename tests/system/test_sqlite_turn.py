"""A turn at a file of records: what it reads, and what becomes of it where others write meanwhile."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.support.counts import Count
from ucspi_py.core.store.change import Step
from ucspi_py.system.store import sqlite_tables as tables
from ucspi_py.system.store.sqlite_turn import Answer, Turn


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file that counts, with one so far."""
    with opened(tmp_path / "db") as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        tables.take_over(connection, Count.tenant)
    assert counted(tmp_path / "db", 1) == Answer(1)
    return tmp_path / "db"


@pytest.fixture
def connection(path: Path) -> Iterator[sqlite3.Connection]:
    """A connection to it."""
    with opened(path) as found:
        yield found


def opened(path: Path) -> "closing[sqlite3.Connection]":
    """A connection that waits for nobody."""
    return closing(sqlite3.connect(path, timeout=0, isolation_level=None))


def counted(path: Path, number: int) -> Answer:
    """Another process counts."""
    with opened(path) as other, Turn(other, is_full=False) as turn:
        return turn.update(Step("a", Count(number)))


def test_who_has_written_meanwhile_is_not_overwritten(path: Path, connection: sqlite3.Connection) -> None:
    """What was read before is read anew then."""
    with Turn(connection, is_full=False) as turn:
        assert turn.update(Step("a", Count(0))) == Answer(1)
        assert counted(path, 2) == Answer(3)
        assert turn.update(Step("a", Count(1))) == Answer(4)
        assert turn.update(Step("a", Count(1))) == Answer(5)
    assert turn.written == 2
    assert counted(path, 0) == Answer(5)


def test_who_only_reads_keeps_nobody_from_writing(path: Path, connection: sqlite3.Connection) -> None:
    """Nor does it see what comes while it reads."""
    with Turn(connection, is_full=False) as turn:
        assert turn.update(Step("a", Count(0))) == Answer(1)
        assert counted(path, 2) == Answer(3)
        assert turn.update(Step("a", Count(0))) == Answer(1)
    assert turn.written == 0


def test_nothing_is_kept_of_a_turn_that_fails(path: Path, connection: sqlite3.Connection) -> None:
    """Whoever waits for its answer hears of that."""
    with pytest.raises(ZeroDivisionError), Turn(connection, is_full=False) as turn:
        turn.update(Step("a", Count(1)))
        raise ZeroDivisionError
    assert counted(path, 0) == Answer(1)


def test_a_writer_that_does_not_end_is_an_error(path: Path, connection: sqlite3.Connection) -> None:
    """It is waited for as long as the connection says."""
    with opened(path) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(sqlite3.OperationalError, match="locked"), Turn(connection, is_full=False) as turn:
            turn.update(Step("a", Count(1)))
    assert not connection.in_transaction
