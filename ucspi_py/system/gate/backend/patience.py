"""A wait of a session that has its time, and that is given up when somebody says so. Never decides what follows."""

import asyncio
from types import TracebackType
from typing import Self


class Patience:
    """For one with block at a time, of a task that waits in it. What is awaited is cancelled when the patience ends.

    The block then raises TimeoutError. As asyncio.timeout_at(), at a third of its price: each session waits for several
    answers.
    """

    __slots__ = ("_has_ended", "_requests", "_task", "_timer")

    def __init__(self) -> None:
        self._task: asyncio.Task[object] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._requests = 0
        self._has_ended = False

    def until(self, deadline: float | None) -> Self:
        """Have the next block end then. deadline: second of the loop's clock; what needs no wait is done after it, too.

        None = it has none, as a block without this.
        """
        if deadline is not None:
            self._timer = asyncio.get_running_loop().call_at(deadline, self.end)
        return self

    def end(self) -> None:
        """End the block that is waited in now; nothing where none is."""
        if self._task and not self._has_ended:
            self._has_ended = True
            self._task.cancel()

    def __enter__(self) -> None:
        """Begin to wait."""
        self._task = asyncio.current_task()
        self._requests = self._task.cancelling() if self._task else 0
        self._has_ended = False

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Raise TimeoutError where the patience has ended, unless the task was cancelled by somebody else, too."""
        task, self._task = self._task, None
        if self._timer:
            self._timer.cancel()
            self._timer = None
        if self._has_ended and task and task.uncancel() <= self._requests and kind is asyncio.CancelledError:
            raise TimeoutError from error
