"""Tasks: whatever ends one, it is seen and told, and what must go on goes on."""

import asyncio
import os
from collections.abc import Iterator

import pytest

from tests.support.admission import Lines
from ucspi_py.core.service.loglines import internal_error
from ucspi_py.system.process.loop import new_loop
from ucspi_py.system.report import tasks as rooms
from ucspi_py.system.report.tasks import Tasks


class Bench:
    """Tasks with their log and their ends."""

    def __init__(self) -> None:
        self.loop = new_loop()
        self.log = Lines()
        self.ends = 0
        self.tasks = Tasks(self.loop, lambda what: self.log.warn(internal_error(what)), self._ended)

    def turn(self) -> None:
        """Let the loop go on."""
        self.loop.run_until_complete(asyncio.sleep(0.01))

    def _ended(self) -> None:
        self.ends += 1


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    """The loop is closed afterwards; what has failed is begun anew at once."""
    monkeypatch.setattr(rooms, "_BEGIN_AGAIN", 0.0)
    bench = Bench()
    yield bench
    bench.loop.close()


async def fail() -> None:
    """An error with words that would be two lines, and a control character."""
    raise ValueError("first\nsecond \x1b")


def test_an_end_is_told_of_once_and_counted(bench: Bench) -> None:
    """With its kind, its words and its place, all on one line that can do no harm."""
    bench.tasks.take_on(fail())
    bench.tasks.take_on(asyncio.sleep(0))
    assert bench.tasks
    bench.turn()

    assert not bench.tasks
    assert bench.ends == 2
    (line,) = bench.log.lines
    assert line.startswith(b"tcpserver: warning: internal error: ValueError: first second ? (test_tasks.py:")
    assert line.endswith(b")\n")


def test_what_must_go_on_is_begun_anew_until_it_is_stopped(bench: Bench) -> None:
    """It counts for nothing that is to be finished; told each time; one that ends by itself has ended."""
    begun = 0

    async def work() -> None:
        nonlocal begun
        begun += 1
        if begun < 3:
            await fail()
        await asyncio.sleep(3600)

    bench.tasks.keep_going(work)
    bench.tasks.keep_going(lambda: asyncio.sleep(0))
    assert not bench.tasks
    for _ in range(3):
        bench.turn()
    assert begun == 3
    assert len(bench.log.lines) == 2

    bench.tasks.stop()
    bench.turn()
    assert begun == 3
    assert asyncio.all_tasks(bench.loop) == set()


def test_trouble_in_a_reader_or_a_timer_is_told_in_the_same_shape(bench: Bench) -> None:
    """Not as a traceback of many lines."""
    reader, writer = os.pipe()
    os.close(writer)

    def trouble() -> None:
        bench.loop.remove_reader(reader)
        raise ValueError("trouble")

    bench.loop.add_reader(reader, trouble)
    bench.loop.call_soon(lambda: bench.loop.call_exception_handler({"message": "odd\nthings"}))
    bench.turn()
    os.close(reader)

    assert len(bench.log.lines) == 2
    assert all(line.startswith(b"tcpserver: warning: internal error: ") for line in bench.log.lines)
    assert all(line.count(b"\n") == 1 for line in bench.log.lines)
