"""The start line: all that come together are started together, and nobody is stranded."""

import asyncio
import signal
from collections.abc import Iterator
from typing import Any

import pytest

from ucspi_py.system.backend.spawn_batch import SpawnBatch


class Line:
    """A start line with notes of all that happens."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.notes: list[str] = []
        self.failures: list[BaseException] = []
        self.resting = False
        self.line = SpawnBatch(
            self.loop,
            lambda: self.notes.append("relieve"),
            lambda: self.resting,
            self.failures.append,
            lambda: self.notes.append("empty"),
        )

    def turn(self, seconds: float = 0) -> None:
        """Let the loop go on."""
        self.loop.run_until_complete(asyncio.sleep(seconds))

    async def session(self, name: str, *, pauses: int = 1, fails_at: str = "", slot: Any = None) -> None:
        """A client on its way to its program."""
        self.notes.append(f"{name} decided")
        if slot:
            await slot
        for _ in range(pauses):
            if fails_at == "decision":
                raise ValueError(name)
            try:
                await asyncio.sleep(0)
            except GeneratorExit:
                self.notes.append(f"{name} closed")
                raise
        if fails_at == "start":
            raise ValueError(name)
        self.notes.append(f"{name} started")


@pytest.fixture
def line() -> Iterator[Line]:
    """The line, its loop closed afterwards."""
    line = Line()
    yield line
    line.loop.close()


def test_all_of_a_burst_are_decided_before_the_first_is_started(line: Line) -> None:
    """Then all are started, in their order, and the line is empty."""
    for name in "abc":
        line.line.bring(line.session(name))
    assert line.line
    assert line.notes == ["a decided", "b decided", "c decided"]

    line.turn()

    assert line.notes[3:] == ["a started", "b started", "c started", "empty"]
    assert not line.line


def test_eight_are_as_many_as_wait_for_each_other(line: Line) -> None:
    """The eighth starts all, and then the listener's queue is looked at."""
    for number in range(8):
        line.line.bring(line.session(str(number)))

    assert line.notes[-3:] == ["7 started", "relieve", "empty"]


def test_who_is_turned_away_never_lines_up(line: Line) -> None:
    """A session that ends at once, or fails at once, is no matter for the line."""
    line.line.bring(line.session("denied", pauses=0))
    line.line.bring(line.session("broken", fails_at="decision"))

    assert not line.line
    assert [str(failure) for failure in line.failures] == ["broken"]


@pytest.mark.parametrize("kind", ["fails", "pauses again"])
def test_one_that_fails_strands_nobody_behind_it(line: Line, kind: str) -> None:
    """It is told of, and the others are started, also those that come later."""
    bad = line.session("b", fails_at="start") if kind == "fails" else line.session("b", pauses=2)
    for session in (line.session("a"), bad, line.session("c")):
        line.line.bring(session)
    line.turn()
    line.line.bring(line.session("d"))
    line.turn()

    assert [note for note in line.notes if note.endswith("started")] == ["a started", "c started", "d started"]
    assert ("b closed" in line.notes) is (kind != "fails")
    assert len(line.failures) == 1
    assert signal.SIGCHLD not in signal.pthread_sigmask(signal.SIG_BLOCK, ())


def test_while_nothing_can_be_started_all_wait(line: Line) -> None:
    """And are started a little later, without anybody coming."""
    line.resting = True
    line.line.bring(line.session("a"))
    line.turn()
    assert line.line
    assert "empty" not in line.notes

    line.resting = False
    line.turn(0.15)

    assert line.notes == ["a decided", "a started", "empty"]


@pytest.mark.parametrize("fails_at", ["", "decision"])
def test_one_that_waits_for_its_slot_lines_up_when_it_has_it(line: Line, fails_at: str) -> None:
    """Nobody waits for it meanwhile; whatever becomes of it, the line says when it is empty."""
    slot: asyncio.Future[int] = line.loop.create_future()
    line.line.bring(line.session("a", slot=slot, fails_at=fails_at))
    assert line.line
    line.line.bring(line.session("b"))
    line.turn()
    line.notes.clear()

    slot.set_result(1)
    line.turn()
    line.turn()

    assert not line.line
    assert line.notes[-1] == "empty"
    assert ("a started" in line.notes) == (not fails_at)
    assert len(line.failures) == bool(fails_at)
