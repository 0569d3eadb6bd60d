"""A turn at a file of records: all of it is kept or nothing, and no record of others is lost, whatever ends it."""

import signal
import sqlite3
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.support.checkout import ROOT
from tests.support.counts import Count
from tests.support.waiting import PATIENCE
from ucspi_py.core.store.change import Outcome, Row, Script, Step, single
from ucspi_py.system.store.file.sqlite_file import SqliteFile

KEYS = 10

#: A process that counts pairs, many at once, and says which it was told. size: bytes that a file may have.
_COUNT_PAIRS = """
import asyncio, resource, sys
from tests.support.counts import Count
from tests.system.test_sqlite_turn import KEYS, pair
from ucspi_py.system.store.sqlite import SqliteStore

async def count(path, times):
    store = SqliteStore(path, (Count.tenant,), busy=30)
    for _ in range(times):
        answers = await asyncio.gather(*(store.play(pair(key)) for key in range(KEYS)), return_exceptions=True)
        print(*("failed" if isinstance(one, Exception) else one for one in answers), flush=True)
    await store.close()

path, times, size = sys.argv[1], *map(int, sys.argv[2:])
resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
asyncio.run(count(path, times))
"""
_ANY = 1 << 30

#: A process that is killed in the middle of its turn.
_DIE = """
import os, signal, sys
from tests.system.test_sqlite_turn import Count, Does, SqliteFile, opened, single
die = Does(1, deed=lambda: os.kill(os.getpid(), signal.SIGKILL))
opened(sys.argv[1]).play([single("a", Count(1)), single("b", die)])
"""


@dataclass(frozen=True, slots=True)
class Does(Count):
    """What does something before it counts."""

    deed: Callable[[], object] = list

    def apply(self, record: Row | None, /) -> Outcome[int]:
        """As another count, a little later."""
        self.deed()
        return Count.apply(self, record)


def pair(key: int) -> Script[str]:
    """Count two records of a key; the key, and what was told of each."""
    left = yield Step(f"left {key}", Count(1))
    right = yield Step(f"right {key}", Count(1))
    return f"{key}:{left}:{right}"


def opened(path: Path | str) -> SqliteFile:
    """The file as a process has it that waits for no other one."""
    return SqliteFile(str(path), (Count.tenant,), 1 << 18, 1 << 30, 0)


def played(file: SqliteFile, *scripts: Script[Any]) -> list[Any]:
    """What scripts come to in one turn."""
    return [answer.error or answer.result for answer in file.play(scripts)]


def counts(path: Path) -> dict[str, int]:
    """What is in the file, which is whole."""
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        return dict(connection.execute("SELECT name, count FROM counts"))


def counting(path: Path, times: int, size: int = _ANY) -> "subprocess.Popen[bytes]":
    """Another process that counts pairs. times: that it counts each. size: bytes that a file may have there."""
    command = [sys.executable, "-c", _COUNT_PAIRS, str(path), str(times), str(size)]
    return subprocess.Popen(command, cwd=ROOT, bufsize=0, stdout=subprocess.PIPE)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file in which a is 1."""
    with closing(opened(tmp_path / "db")) as file:
        assert played(file, single("a", Count(1))) == [1]
    return tmp_path / "db"


@pytest.fixture
def file(path: Path) -> Iterator[SqliteFile]:
    """The same as we have it."""
    with closing(opened(path)) as found:
        yield found


@pytest.fixture
def other(path: Path) -> Iterator[SqliteFile]:
    """The same as another process has it."""
    with closing(opened(path)) as found:
        yield found


def test_who_writes_after_our_look_is_not_written_over(file: SqliteFile, other: SqliteFile) -> None:
    """What was read is read anew before the first change."""
    overtaking = [lambda: other.play([single("a", Count(10))])]
    late = Does(100, deed=lambda: overtaking and overtaking.pop()())
    assert played(file, single("a", Count(0)), single("a", late), single("a", Count(1000))) == [1, 111, 1111]


def test_nobody_comes_between_the_changes_of_a_turn(file: SqliteFile, other: SqliteFile) -> None:
    """Whoever reads sees nothing of it before its end, and whoever would write is told to come back."""

    readings = []

    def look() -> None:
        readings.append(1)
        if len(readings) > 1:  # The first one was before the turn had anything to write.
            assert played(other, single("a", Count(0))) == [1]
            with pytest.raises(sqlite3.OperationalError, match="locked"):
                played(other, single("a", Count(10)))

    assert played(file, single("a", Does(100, deed=look)), single("b", Does(1, deed=look))) == [101, 1]
    assert len(readings) == 3
    assert played(other, single("a", Count(10))) == [111]


def test_a_turn_that_only_reads_keeps_nobody_waiting(file: SqliteFile, other: SqliteFile) -> None:
    """Nor does it wait for whoever writes."""

    def write() -> None:
        assert played(other, single("a", Count(10))) == [11]

    assert played(file, single("a", Does(0, deed=write))) == [1]
    assert played(other, single("a", Does(10, deed=lambda: played(file, single("a", Count(0)))))) == [21]


def test_nothing_is_kept_of_a_turn_that_fails_half_way(path: Path, file: SqliteFile) -> None:
    """Whatever was about to be told, nobody is told it, and the next turn is as any other."""
    with pytest.raises(ZeroDivisionError):
        file.play([single("a", Count(1)), single("b", Count(1)), single("c", Does(1, deed=lambda: 1 // 0))])
    assert counts(path) == {"a": 1}
    assert played(file, single("a", Count(1)), single("b", Count(1))) == [2, 1]


def test_a_writer_that_does_not_end_is_an_error_for_who_writes(path: Path, file: SqliteFile) -> None:
    """Who comes in a turn of his own, and is known, is served."""
    with closing(sqlite3.connect(path, isolation_level=None)) as somebody:
        somebody.execute("BEGIN IMMEDIATE")
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            file.play([single("a", Count(0)), single("b", Count(1))])
        assert played(file, single("a", Count(0))) == [1]
    assert played(file, single("b", Count(1))) == [1]


def test_a_process_that_is_killed_in_the_middle(path: Path, file: SqliteFile) -> None:
    """Nothing of its turn is there, and nobody has to wait for anything."""
    ended = subprocess.run([sys.executable, "-c", _DIE, str(path)], cwd=ROOT, check=False)
    assert ended.returncode == -signal.SIGKILL
    assert counts(path) == {"a": 1}
    assert played(file, single("b", Count(1))) == [1]


def test_two_processes_one_of_which_is_killed(tmp_path: Path) -> None:
    """What either was told is there, each count once; of the last turn of the one that is killed all or nothing."""
    survivor, victim = counting(tmp_path / "db", 30), counting(tmp_path / "db", 100_000)
    assert survivor.stdout and victim.stdout
    told = [stdout.readline() for _ in range(15) for stdout in (survivor.stdout, victim.stdout)]
    victim.kill()
    told += [process.communicate(timeout=PATIENCE)[0] for process in (survivor, victim)]
    answers = b" ".join(told).split()

    assert survivor.returncode == 0
    assert b"failed" not in answers
    assert max(Counter(answers).values()) == 1
    kept = counts(tmp_path / "db")
    assert all(kept[f"left {key}"] == kept[f"right {key}"] for key in range(KEYS))
    assert 0 <= sum(kept.values()) - 2 * len(answers) <= 2 * KEYS


def test_a_disk_that_is_full_now_and_then(tmp_path: Path) -> None:
    """What was told is there, and nothing of what has failed; each time there is room again, all goes on."""
    process = counting(tmp_path / "db", 30, 150_000)
    lines = process.communicate(timeout=PATIENCE)[0].splitlines()
    answers = Counter(b" ".join(lines).split())
    first = [b"failed" in line for line in lines].index(True)

    assert process.returncode == 0
    assert any(b"failed" not in line for line in lines[first:])
    del answers[b"failed"]
    assert max(answers.values()) == 1
    kept = counts(tmp_path / "db")
    assert sum(kept.values()) == 2 * len(answers)
    assert all(kept[f"left {key}"] == kept[f"right {key}"] for key in range(KEYS))
