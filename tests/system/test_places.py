"""The places of clients without a program: made by those that are held longest, given to those that wait, and told."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from ucspi_py.system.accept.places import Places
from ucspi_py.system.accept.scoreboard import Scoreboard


class Worker:
    """The places of one worker: two, as many of them held as it says. told: how often the others were told of one."""

    def __init__(self, held: int = 0, claimed: int = 0) -> None:
        self.board = Scoreboard(1, 2)
        self.changes = self.told = 0
        self.places = Places(self.board, self._changed)
        self.rows = [row for _ in range(held + claimed) if (row := self.places.claim()) is not None]
        for since, row in enumerate(self.rows[:held]):
            self.board.hold_pending(row, since)
        self.board.vacancies.tell = self._tell  # type: ignore[method-assign]

    def dismissed(self) -> list[int]:
        """The rows that were asked to leave."""
        return self.board.dismissed()

    def _changed(self) -> None:
        self.changes += 1

    def _tell(self, *, always: bool = False) -> None:
        self.told += not always


def run(work: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """A loop for a test."""
    asyncio.run(work())


async def turn() -> None:
    """Let everybody go on who can."""
    for _ in range(3):
        await asyncio.sleep(0)


def test_each_that_is_held_makes_room_for_one_in_the_order_of_coming() -> None:
    """Nobody who comes later has the place; who comes when all have been asked waits, too."""

    async def work() -> None:
        worker = Worker(held=2)
        newcomers = [asyncio.create_task(worker.places.make()) for _ in range(3)]
        await turn()
        assert worker.places.awaited
        assert sorted(worker.dismissed()) == worker.rows
        assert worker.changes == 3

        for number, row in enumerate(reversed(worker.rows)):
            worker.places.give_back(row)
            assert worker.places.claim() is None
            worker.places.serve_waiting()
            assert await newcomers[number] == row
        assert not newcomers[2].done()
        newcomers[2].cancel()
        await turn()
        assert not worker.places.awaited

    run(work)


def test_where_nobody_is_held_who_comes_waits_for_the_next_place() -> None:
    """Those that are looked up or screened are not asked to leave, and nobody is sent away."""

    async def work() -> None:
        worker = Worker(claimed=2)
        assert not worker.places.any_left()
        newcomer = asyncio.create_task(worker.places.make())
        await turn()
        worker.places.look_again()
        await turn()
        assert worker.dismissed() == []
        assert not newcomer.done()
        worker.places.give_back(worker.rows[1])
        worker.places.serve_waiting()
        assert await newcomer == worker.rows[1]

    run(work)


def test_who_was_asked_and_does_not_leave_is_not_waited_for_for_ever() -> None:
    """The next look asks another: the first may be a stopped worker's."""

    async def work() -> None:
        worker = Worker(held=2)
        newcomer = asyncio.create_task(worker.places.make())
        await turn()
        assert worker.dismissed() == worker.rows[:1]
        worker.places.look_again()
        assert worker.dismissed() == worker.rows
        newcomer.cancel()
        await turn()

    run(work)


@pytest.mark.parametrize("served", [False, True], ids=["waiting", "just served"])
def test_who_is_cancelled_leaves_no_place_behind(served: bool) -> None:
    """While it waits, or in the very moment in which it gets one."""

    async def work() -> None:
        worker = Worker(held=1, claimed=1)
        newcomer = asyncio.create_task(worker.places.make())
        await turn()
        worker.places.give_back(worker.rows[0])
        if served:
            worker.places.serve_waiting()
        newcomer.cancel()
        if not served:
            worker.places.serve_waiting()
        await turn()
        assert worker.board.free(worker.board.pending) == 1

    run(work)


@pytest.mark.parametrize(("claimed", "told"), [(1, 0), (2, 1)])
def test_a_place_is_told_of_once_and_only_where_all_were_taken(claimed: int, told: int) -> None:
    """Else nobody waits for one."""
    worker = Worker(claimed=claimed)
    worker.places.give_back(worker.rows[0])
    worker.places.tell_others()
    worker.places.tell_others()
    assert worker.told == told


def test_a_place_that_is_taken_again_is_not_told_of() -> None:
    """Nor one that never was."""
    worker = Worker(claimed=2)
    worker.places.give_back(worker.rows[0])
    assert worker.places.claim() == worker.rows[0]
    worker.places.tell_others()
    worker.places.give_back(worker.rows[0])
    worker.board.hold_pending(worker.rows[1], 1)
    worker.places.tell_others()
    assert worker.told == 1


def test_one_more_held_client_is_room_that_the_others_are_told_of() -> None:
    """Where all places were taken by clients that could not be asked to leave."""
    worker = Worker(claimed=2)
    worker.board.hold_pending(worker.rows[0], 1)
    worker.places.note_news()
    worker.places.tell_others()
    assert worker.told == 1
