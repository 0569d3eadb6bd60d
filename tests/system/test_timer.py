"""A timer makes one call, however often it is asked for, and can be asked again."""

import asyncio
from contextlib import closing

from ucspi_py.system.process.loop import new_loop
from ucspi_py.system.process.timer import Timer


def test_many_ask_and_one_call_is_made() -> None:
    """After it, the next one who asks has another; whoever is called may ask again at once."""
    calls: list[int] = []

    async def play() -> None:
        loop = asyncio.get_running_loop()

        def call() -> None:
            calls.append(len(calls))
            if len(calls) == 1:
                timer.ask(loop)

        timer = Timer(0.001, call)
        for _ in range(3):
            timer.ask(loop)
        assert calls == []
        await asyncio.sleep(0.02)
        assert calls == [0, 1]
        timer.ask(loop)
        await asyncio.sleep(0.02)
        assert calls == [0, 1, 2]

    with closing(new_loop()) as loop:
        loop.run_until_complete(play())
