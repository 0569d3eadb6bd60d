"""An event that the master and all workers share: a row of the scoreboard is free. Never carries which one.

A worker that finds no room calls wait(), looks once more, and sleeps; one that makes room wakes all that wait. No
worker looks again and again, but now and then, in case that another is killed in between.
"""

import asyncio
import mmap
import os
from collections.abc import Callable

from ..process.loop import watch_edges


class Vacancies:
    """The event (eventfd(2)). To be made before any worker is forked."""

    def __init__(self) -> None:
        self._somebody_waits = mmap.mmap(-1, 1)
        # Nobody ever reads it: each write is an edge of its own for all that watch it.
        self._fd = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC) if hasattr(os, "eventfd") else None

    def watch(self, loop: asyncio.AbstractEventLoop, call: Callable[[], None]) -> bool:
        """Have a call made at each tell(); False where the system has no eventfd(2)."""
        return self._fd is not None and watch_edges(loop, self._fd, call)

    def wait(self) -> None:
        """Mark that a worker waits, so that the next tell() wakes it. To be called before the last look for room."""
        self._somebody_waits[0] = 1

    def tell(self, *, always: bool = False) -> None:
        """Wake all workers, if any of them waits. always: even if none does."""
        if self._somebody_waits[0] or always:
            self._somebody_waits[0] = 0
            if self._fd is not None:
                os.eventfd_write(self._fd, 1)
