"""An event that the master and all workers share: something on the scoreboard is free. Never says what, nor for whom.

Whoever finds no room says that it waits, looks once more, and sleeps; whoever makes room wakes all that wait. Nobody
has to look again and again, but now and then, for a worker that is killed in between.
"""

import asyncio
import mmap
import os
from collections.abc import Callable

from ..process.loop import watch_edges


class Vacancies:
    """To be made before any worker is forked."""

    def __init__(self) -> None:
        self._somebody_waits = mmap.mmap(-1, 1)
        # Nobody ever reads it: each write is an edge of its own for all that watch it.
        self._fd = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC) if hasattr(os, "eventfd") else None

    def watch(self, loop: asyncio.AbstractEventLoop, call: Callable[[], None]) -> bool:
        """Have a call made at each tell(); False where the system has no such events."""
        return self._fd is not None and watch_edges(loop, self._fd, call)

    def wait(self) -> None:
        """Say that somebody waits: the next tell() is made. To be said before the last look for room."""
        self._somebody_waits[0] = 1

    def tell(self, *, always: bool = False) -> None:
        """Wake all workers, if any of them waits."""
        if self._somebody_waits[0] or always:
            self._somebody_waits[0] = 0
            if self._fd is not None:
                os.eventfd_write(self._fd, 1)
