"""A wait that is given up: by its deadline, or by somebody; whoever is cancelled otherwise stays cancelled."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from ucspi_py.system.gate.backend.patience import Patience

LATE = 0.01


async def for_ever() -> None:
    """Wait for what never comes."""
    await asyncio.get_running_loop().create_future()


async def ended_while_it_waits(patience: Patience, wait: Callable[[], Awaitable[None]]) -> None:
    """Wait, and give the patience up as soon as that waits."""
    asyncio.get_running_loop().call_soon(patience.end)
    await wait()


def in_time(seconds: float) -> float:
    """A deadline."""
    return asyncio.get_running_loop().time() + seconds


def test_what_is_awaited_ends_at_its_deadline() -> None:
    """With TimeoutError, and the task goes on as if nobody had cancelled it."""

    async def story() -> int:
        with pytest.raises(TimeoutError), Patience().until(in_time(LATE)):
            await for_ever()
        task = asyncio.current_task()
        assert task
        return task.cancelling()

    assert asyncio.run(story()) == 0


def test_what_is_awaited_ends_when_somebody_says_so_and_the_next_wait_is_a_new_one() -> None:
    """Again and again."""

    async def story() -> None:
        patience = Patience()
        for _ in range(2):
            with pytest.raises(TimeoutError), patience:
                await ended_while_it_waits(patience, for_ever)
            with patience:
                await asyncio.sleep(0)

    asyncio.run(story())


def test_a_deadline_that_is_over_lets_pass_what_needs_no_wait() -> None:
    """And nothing else."""

    async def story() -> str:
        patience = Patience()
        with patience.until(0.0):
            done = "done"
        await asyncio.sleep(0)
        with pytest.raises(TimeoutError), patience.until(0.0):
            await for_ever()
        return done

    assert asyncio.run(story()) == "done"


def test_to_end_what_is_not_waited_for_is_nothing() -> None:
    """The next wait is as patient as ever."""

    async def story() -> None:
        patience = Patience()
        patience.end()
        with patience:
            await asyncio.sleep(0)

    asyncio.run(story())


def test_the_outer_of_two_waits_ends_both() -> None:
    """The inner one does not take that for its own end."""

    async def story() -> None:
        outer, inner = Patience(), Patience()

        async def wait_within() -> None:
            try:
                with inner.until(in_time(60)):
                    await for_ever()
            except TimeoutError:
                pytest.fail("the inner one was not late")

        with pytest.raises(TimeoutError), outer:
            await ended_while_it_waits(outer, wait_within)

    asyncio.run(story())


def test_whoever_is_cancelled_and_late_is_cancelled() -> None:
    """A task that is to end is not kept by a deadline."""

    async def story() -> None:
        patience = Patience()

        async def wait() -> None:
            with patience:
                await for_ever()

        waiting = asyncio.ensure_future(wait())
        await asyncio.sleep(0)
        patience.end()
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting

    asyncio.run(story())
