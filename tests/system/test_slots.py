"""One worker's slots: claimed by turns, given back whatever happens, and told to those that wait elsewhere."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from ucspi_py.system.accept.scoreboard import Scoreboard
from ucspi_py.system.accept.slots import Slots


class Worker:
    """The slots of one worker, and what it does when they have changed."""

    def __init__(self, board: Scoreboard, reserve: int = 0) -> None:
        self.changes = 0
        self.slots = Slots(board, reserve, self._changed)

    def _changed(self) -> None:
        self.changes += 1


def run(work: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """A loop for a test."""
    asyncio.run(work())


async def turn() -> None:
    """Let everybody go on who can."""
    for _ in range(3):
        await asyncio.sleep(0)


def test_a_slot_that_is_given_back_goes_to_who_waits_in_the_order_of_coming() -> None:
    """Newcomers wait behind, also when one is free just then."""

    async def work() -> None:
        board = Scoreboard(1, 1)
        worker = Worker(board)
        served: list[str] = []

        async def client(name: str) -> None:
            slot = await worker.slots.reserve(may_relay=False)
            served.append(name)
            await asyncio.sleep(0)
            worker.slots.give_back(slot)

        taken = await worker.slots.reserve(may_relay=False)
        tasks = [asyncio.create_task(client(name)) for name in ("first", "second")]
        await turn()
        assert worker.changes == 2, "who begins to wait is a change to be looked at"
        board.give_back(taken)
        tasks.append(asyncio.create_task(client("newcomer")))
        await turn()
        assert served == []
        assert worker.slots.awaited

        while len(served) < 3:
            worker.slots.serve_waiting()
            await turn()

        await asyncio.gather(*tasks)
        assert served == ["first", "second", "newcomer"]
        assert not worker.slots.awaited

    run(work)


def test_the_last_slots_are_for_clients_that_may_relay() -> None:
    """Who waits before them, and may not have one, does not keep them from it."""

    async def work() -> None:
        worker = Worker(Scoreboard(2, 1), reserve=1)
        first = await worker.slots.reserve(may_relay=False)
        static_names = asyncio.create_task(worker.slots.reserve(may_relay=False))
        await turn()
        worker.slots.serve_waiting()
        assert not static_names.done()

        relay = await worker.slots.reserve(may_relay=True)

        assert not static_names.done()
        worker.slots.give_back(relay)
        worker.slots.serve_waiting()
        await turn()
        assert not static_names.done()
        worker.slots.give_back(first)
        worker.slots.serve_waiting()
        assert await static_names == first

    run(work)


@pytest.mark.parametrize("served_before", [False, True], ids=["waiting", "just served"])
def test_who_is_cancelled_leaves_no_slot_behind(served_before: bool) -> None:
    """While it waits, or in the very moment in which it gets one."""

    async def work() -> None:
        board = Scoreboard(1, 1)
        worker = Worker(board)
        taken = await worker.slots.reserve(may_relay=False)
        client = asyncio.create_task(worker.slots.reserve(may_relay=False))
        await turn()
        worker.slots.give_back(taken)
        if served_before:
            worker.slots.serve_waiting()
        client.cancel()
        if not served_before:
            worker.slots.serve_waiting()  # it does not know yet that it is cancelled
        await turn()

        assert client.cancelled()
        assert not worker.slots.awaited
        assert board.has_free(board.slots)

    run(work)


def test_a_backend_that_has_ended_gives_its_slot_back_once() -> None:
    """One that is none of ours does nothing; each end is a change to be looked at."""

    async def work() -> None:
        board = Scoreboard(2, 1)
        worker = Worker(board)
        slot = await worker.slots.reserve(may_relay=False)
        worker.slots.hold(slot, 4711)

        worker.slots.ended(4712)
        assert (board.running(), worker.changes) == (1, 0)
        worker.slots.ended(4711)
        worker.slots.ended(4711)

        assert (board.running(), board.free(board.slots), worker.changes) == (0, 2, 1)

    run(work)


def test_a_slot_that_nobody_here_waits_for_is_told_to_the_others() -> None:
    """Only when somebody waits, only when it is free still, and once."""

    async def work() -> None:
        board = Scoreboard(1, 1)
        worker = Worker(board)
        told = 0

        def tell() -> None:
            nonlocal told
            told += 1

        board.vacancies.tell = tell  # type: ignore[method-assign,assignment]

        async def give_one_back(*, waiting_here: bool) -> None:
            slot = await worker.slots.reserve(may_relay=False)
            client = asyncio.create_task(worker.slots.reserve(may_relay=False)) if waiting_here else None
            await turn()
            worker.slots.give_back(slot)
            worker.slots.serve_waiting()
            worker.slots.tell_others()
            worker.slots.tell_others()
            if client:
                board.give_back(await client, tell=False)

        await give_one_back(waiting_here=True)
        assert told == 0
        await give_one_back(waiting_here=False)
        assert told == 1

    run(work)
