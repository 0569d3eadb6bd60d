"""A thread that does one deed after the other, so that no loop waits for a disk or a lock. Never knows what it does.

An executor of concurrent.futures takes 45 us more for each: it has a future in either thread, wakes the loop through a
poll within its poll and takes it another round, and is still busy with itself when the loop would go on.
"""

import asyncio
import os
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from queue import SimpleQueue
from threading import Thread
from typing import Any, TypeVar

T = TypeVar("T")

#: What is done in the thread, and what its outcome is given to in the loop.
_Asked = tuple[Callable[[], Any], Callable[[Any], object]]
_Ended = Callable[[], object]


class SerialExecutor:
    """One thread for one loop, from the first deed until close(). A process does not wait for it at its end."""

    def __init__(self) -> None:
        self._asked: SimpleQueue[_Asked | None] = SimpleQueue()
        self._ended: deque[_Ended] = deque()
        self._woken: int | None = None

    async def run(self, deed: Callable[[], T]) -> T:
        """Do a deed, and return what it returns. Raises what it raises, and as begin()."""
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self.begin(deed, partial(settle, future))
        return await future

    def begin(self, deed: Callable[[], T], end: Callable[[T | Exception], object]) -> None:
        """Have a deed done behind all others. end: is called in the loop, with what it has returned or raised.

        Raises OSError where there is no descriptor left, and RuntimeError where there is no thread.
        """
        if self._woken is None:
            self._woken = self._started()
        self._asked.put((deed, end))

    def close(self) -> None:
        """Let the thread end, which has nothing to do any more."""
        if self._woken is not None:
            self._asked.put(None)
            asyncio.get_running_loop().remove_reader(self._woken)
            os.close(self._woken)
            self._woken = None

    def _started(self) -> int:
        self._asked, self._ended = SimpleQueue(), deque()
        woken, wake = os.pipe()
        try:
            Thread(target=_work, args=(self._asked, self._ended, wake), daemon=True).start()
        except RuntimeError:
            os.close(woken)
            os.close(wake)
            raise
        asyncio.get_running_loop().add_reader(woken, self._take, woken)
        return woken

    def _take(self, woken: int) -> None:
        os.read(woken, 4096)
        while self._ended:
            self._ended.popleft()()


def settle(future: "asyncio.Future[T]", outcome: T | Exception) -> None:
    """Tell whoever waits for it what came of a deed, if anybody does."""
    if future.done():
        return
    if isinstance(outcome, Exception):
        future.set_exception(outcome)
    else:
        future.set_result(outcome)


def _work(asked: "SimpleQueue[_Asked | None]", ended: "deque[_Ended]", wake: int) -> None:
    with open(wake, "wb", buffering=0) as pipe, suppress(BrokenPipeError):  # nobody may ask for the rest any more
        for deed, end in iter(asked.get, None):
            ended.append(partial(end, _outcome(deed)))
            pipe.write(b"\0")


def _outcome(deed: Callable[[], T]) -> T | Exception:
    try:
        return deed()
    except Exception as error:  # whoever waits for it is to hear of it
        return error
