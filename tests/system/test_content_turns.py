"""Turns in a loop: one in each round, and whoever else there is has one, too."""

import asyncio
from collections.abc import Awaitable, Callable

from ucspi_py.system.gate.content.turns import Turns
from ucspi_py.system.process.loop import new_loop


def running(story: Callable[[Turns], Awaitable[None]]) -> None:
    """Tell a story in our loop."""

    async def tell() -> None:
        async with asyncio.timeout(20):
            await story(Turns())

    with asyncio.Runner(loop_factory=new_loop) as runner:
        runner.run(tell())


def test_whoever_wants_turns_has_them_one_after_the_other() -> None:
    """And between two of them the loop has its own."""
    said: list[str] = []

    def work(name: str, count: int) -> Callable[[], bool]:
        left = [count]

        def turn() -> bool:
            said.append(name)
            left[0] -= 1
            return left[0] > 0

        return turn

    async def story(turns: Turns) -> None:
        first, second = work("a", 3), work("b", 1)
        for turn in (first, first, second):
            turns.want(turn)
        while len(said) < 8:
            said.append(".")
            await asyncio.sleep(0)

    running(story)
    assert "".join(said) == ".a.b.a.a"


def test_whoever_leaves_has_no_turn_any_more() -> None:
    """Also while it waits for the next one."""
    said: list[str] = []

    async def story(turns: Turns) -> None:
        def turn() -> bool:
            said.append("x")
            turns.leave(turn)
            return len(said) < 3

        turns.want(turn)
        turns.leave(turn)
        await asyncio.sleep(0)
        assert said == []
        turns.want(turn)
        while len(said) < 3:
            await asyncio.sleep(0)

    running(story)


def test_an_error_of_one_is_not_that_of_others() -> None:
    """The others have their turns still."""
    said: list[str] = []

    async def story(turns: Turns) -> None:
        def broken() -> bool:
            raise ValueError

        def fine() -> bool:
            said.append("x")
            return False

        errors: list[object] = []
        asyncio.get_running_loop().set_exception_handler(lambda _loop, context: errors.append(context["exception"]))
        turns.want(broken)
        turns.want(fine)
        while not said:
            await asyncio.sleep(0)
        assert [type(error) for error in errors] == [ValueError]

    running(story)
