"""The tasks of a worker: each end is checked and told, and what must go on is begun anew. Never waits for one."""

import asyncio
import os
import traceback
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any

#: Seconds until work that must go on, and has failed, is begun anew.
_BEGIN_AGAIN = 1.0

Work = Coroutine[Any, None, None]


class Tasks:
    """Tasks on one loop, whose own errors are told as well. tell: gets what a maintainer needs to find an error.

    ended: called after each end.
    """

    def __init__(
        self, loop: asyncio.AbstractEventLoop, tell: Callable[[str], object], ended: Callable[[], None]
    ) -> None:
        self.loop = loop
        self._tell = tell
        self._ended = ended
        self._tasks: set[asyncio.Task[None]] = set()
        self._unending: set[asyncio.Task[None]] = set()
        loop.set_exception_handler(self._on_trouble)

    def __bool__(self) -> bool:
        """Whether anything is being done that is to be finished."""
        return bool(self._tasks)

    def take_on(self, work: Work, give_back: Callable[[], None] | None = None) -> None:
        """Have work done that comes to its end. give_back: called then, however it ends."""
        task = self.loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(partial(self._end, give_back))

    def keep_going(self, begin: Callable[[], Work]) -> None:
        """Have work done that goes on until stop(); where it fails, it is begun anew a second later."""
        task = self.loop.create_task(begin())
        self._unending.add(task)
        task.add_done_callback(lambda task: self._end_unending(task, begin))

    def stop(self) -> None:
        """End what goes on for ever."""
        unending, self._unending = self._unending, set()
        for task in unending:
            task.cancel()

    def failed(self, error: BaseException) -> None:
        """Tell of an error that nobody expected."""
        self._tell(described(error))

    def _end(self, give_back: Callable[[], None] | None, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if give_back:
            give_back()
        self._has_failed(task)
        self._ended()

    def _end_unending(self, task: asyncio.Task[None], begin: Callable[[], Work]) -> None:
        if self._has_failed(task) and task in self._unending:
            self.loop.call_later(_BEGIN_AGAIN, self.keep_going, begin)
        self._unending.discard(task)

    def _has_failed(self, task: asyncio.Task[None]) -> bool:
        error = None if task.cancelled() else task.exception()
        if error:
            self.failed(error)
        return bool(error)

    def _on_trouble(self, _loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        if error:
            self.failed(error)
        else:
            self._tell(str(context.get("message")))


def described(error: BaseException) -> str:
    """What a maintainer needs to find an error that nobody expected: kind, words, file and line, all on one line."""
    words = " ".join(f"{type(error).__name__}: {error}".split())
    frames = traceback.extract_tb(error.__traceback__)
    return f"{words} ({os.path.basename(frames[-1].filename)}:{frames[-1].lineno})" if frames else words
