"""The thread that does deeds for a loop: in their order, each with an answer, and nothing left of it at its end."""

import asyncio
import os
import resource
import subprocess
import sys
import threading
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path

import pytest

from tests.support.checkout import ROOT
from tests.support.counts import Count
from tests.support.forked import in_child
from tests.support.waiting import PATIENCE, until
from ucspi_py.system.process.loop import new_loop
from ucspi_py.system.store.file.serial_executor import SerialExecutor
from ucspi_py.system.store.sqlite import SqliteStore

LOOPS = pytest.mark.parametrize("loop_factory", [new_loop, asyncio.new_event_loop], ids=["ours", "asyncio's"])

#: A process that ends though its thread has not.
_LEAVE = """
import asyncio
from ucspi_py.system.store.file.serial_executor import SerialExecutor

async def leave():
    assert await SerialExecutor().run(lambda: 1) == 1

asyncio.run(leave())
"""


def with_executor(
    deed: Callable[[SerialExecutor], Awaitable[None]],
    loop_factory: Callable[[], asyncio.AbstractEventLoop] = new_loop,
) -> None:
    """Do something with an executor, in a loop of its own."""

    async def run() -> None:
        executor = SerialExecutor()
        try:
            await deed(executor)
        finally:
            executor.close()

    with asyncio.Runner(loop_factory=loop_factory) as runner:
        runner.run(run())


def descriptors() -> int:
    """How many are open."""
    return len(os.listdir("/proc/self/fd"))


@LOOPS
def test_all_is_done_in_its_order(loop_factory: Callable[[], asyncio.AbstractEventLoop]) -> None:
    """By one other thread, and each who asked is told what came of his."""
    done = []

    def deed(number: int) -> int:
        done.append((number, threading.current_thread()))
        return 10 * number

    async def ask(executor: SerialExecutor) -> None:
        answers = await asyncio.gather(*(executor.run(partial(deed, number)) for number in range(100)))
        assert answers == [10 * number for number in range(100)]

    with_executor(ask, loop_factory)
    assert [number for number, _ in done] == list(range(100))
    assert len({thread for _, thread in done} | {threading.current_thread()}) == 2


def test_what_fails_fails_for_who_asked() -> None:
    """What comes behind it is done as any other."""

    async def ask(executor: SerialExecutor) -> None:
        answers = await asyncio.gather(
            executor.run(lambda: 1), executor.run(lambda: 1 // 0), executor.run(lambda: 3), return_exceptions=True
        )
        assert [str(answer) for answer in answers] == ["1", "integer division or modulo by zero", "3"]

    with_executor(ask)


def test_a_loop_goes_on_meanwhile() -> None:
    """What is asked for behind a slow deed waits for that, and nothing else does."""

    async def ask(executor: SerialExecutor) -> None:
        is_over = threading.Event()
        slow, behind = (asyncio.ensure_future(executor.run(deed)) for deed in (is_over.wait, threading.active_count))
        for _ in range(10):
            await asyncio.sleep(0)
        assert not slow.done()
        assert not behind.done()
        is_over.set()
        assert await slow
        assert await behind > 1

    with_executor(ask)


def test_who_waits_no_longer_is_not_told() -> None:
    """Others are, and the loop hears of no error."""

    async def ask(executor: SerialExecutor) -> None:
        errors: list[object] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: errors.append(context))
        is_over = threading.Event()
        given_up, failing, behind = (
            asyncio.ensure_future(executor.run(deed)) for deed in (is_over.wait, lambda: 1 // 0, lambda: 3)
        )
        await asyncio.sleep(0)
        given_up.cancel()
        failing.cancel()
        is_over.set()
        assert await behind == 3
        assert not errors

    with_executor(ask)


def test_nothing_is_left_of_it() -> None:
    """Neither a thread nor a descriptor; and it may be asked again."""

    async def ask(executor: SerialExecutor) -> None:
        before = descriptors(), threading.active_count()
        for _ in range(3):
            assert await executor.run(threading.active_count) == before[1] + 1
            executor.close()
            until(lambda: (descriptors(), threading.active_count()) == before, "the thread to end")

    in_child(lambda: with_executor(ask))  # where no other test's thread is about to end


def test_a_process_does_not_wait_for_it() -> None:
    """Whoever has not closed it ends all the same."""
    ended = subprocess.run([sys.executable, "-c", _LEAVE], cwd=ROOT, capture_output=True, timeout=PATIENCE, check=True)
    assert ended.stderr == b""


def test_a_store_without_a_descriptor(tmp_path: Path) -> None:
    """Who comes then hears of it, and who comes when there are some is served."""

    async def ask() -> None:
        store = SqliteStore(str(tmp_path / "db"), (Count.tenant,))
        limits = resource.getrlimit(resource.RLIMIT_NOFILE)
        next_one = os.open(os.devnull, os.O_RDONLY)
        os.close(next_one)
        resource.setrlimit(resource.RLIMIT_NOFILE, (next_one, limits[1]))
        for _ in range(2):
            with pytest.raises(OSError, match="Too many open files"):
                await store.update("a", Count(1))
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
        assert await store.update("a", Count(1)) == 1
        await store.close()

    in_child(lambda: asyncio.run(asyncio.wait_for(ask(), PATIENCE)))
