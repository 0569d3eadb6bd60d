"""Stays on one processor while programs are started. Never chooses it: it is the one that we happen to be on.

Whoever starts a program waits until it is loaded (vfork). Linux likes to load it on a processor that is idle; from
there it has to wake us in the end, and so on two processors, by turns, one waits for the other.
"""

import ctypes
import os
from types import TracebackType
from typing import Any

#: The number of the processor that we are on; None where the system does not tell.
_here: Any = getattr(ctypes.CDLL(None), "sched_getcpu", None)


class Processor:
    """In a with block this process stays on the processor that it is on; blocks may be nested.

    Made once and used by forked children, each for itself. Where the system cannot do it, nothing is done.
    """

    def __init__(self) -> None:
        self._can_stay = hasattr(os, "sched_setaffinity") and _here is not None and _survives_staying()
        self._blocks = 0
        self._everywhere: set[int] = set()

    def __enter__(self) -> None:
        self._blocks += 1
        if self._blocks == 1 and self._can_stay:
            self._stay()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._blocks -= 1
        if not self._blocks and self._everywhere:
            _let_run(0, self._everywhere)
            self._everywhere = set()

    def release(self, pid: int) -> None:
        """Let a program that was started while we stayed run wherever we may."""
        if self._everywhere:
            _let_run(pid, self._everywhere)

    def _stay(self) -> None:
        everywhere = os.sched_getaffinity(0)
        if len(everywhere) > 1 and _let_run(0, {_here()}):
            self._everywhere = everywhere


def _let_run(pid: int, processors: set[int]) -> bool:
    """Say where a process may run (0 = this one); False where the system does not let us."""
    try:
        os.sched_setaffinity(pid, processors)
    except OSError:  # somebody has just taken these processors away from us; the system has found us others
        return False
    return True


def _survives_staying() -> bool:
    """Whether a process may ask for a processor: a filter such as SystemCallFilter=~@resources kills who does."""
    pid = os.fork()
    if not pid:
        status = 1
        try:
            status = 0 if _let_run(0, {_here()}) else 1
        finally:
            os._exit(status)
    return os.waitpid(pid, 0)[1] == 0
