"""Which backends run: rows in memory that the master shares with its workers. Never starts or reaps anything.

A row is free or holds the process id of one backend. Each worker writes its own rows only; the master writes those of
backends whose worker is dead. So -c stays exact with no lock and no message, and outlives any worker.
"""

import itertools
import mmap

_FREE, _RUNNING = 0, 1


class Scoreboard:
    """``rows`` rows, all free, in memory that forked children share."""

    def __init__(self, rows: int) -> None:
        states = -rows % 4 + rows
        self._rows = rows
        self._memory = mmap.mmap(-1, states + 4 * rows)
        self._pids = memoryview(self._memory)[states:].cast("I")

    def running(self) -> int:
        """How many rows hold a backend."""
        return self._memory[: self._rows].count(_RUNNING)

    def is_free(self, row: int) -> bool:
        """Whether a backend may be put there."""
        return self._memory[row] == _FREE

    def hold(self, row: int, pid: int) -> None:
        """Put a backend into a free row."""
        self._pids[row] = pid
        self._memory[row] = _RUNNING

    def free(self, row: int) -> None:
        """Give a row back."""
        self._memory[row] = _FREE

    def row_of(self, pid: int) -> int | None:
        """The row that holds a backend; None where no row does."""
        for row in range(self._rows):
            if self._memory[row] == _RUNNING and self._pids[row] == pid:
                return row
        return None


def quotas(limit: int, workers: int) -> list[range]:
    """-c split into fixed shares: the rows of each worker, as even as can be, never an empty share."""
    workers = min(workers, limit)
    share, rest = divmod(limit, workers)
    starts = [worker * share + min(worker, rest) for worker in range(workers + 1)]
    return [range(start, end) for start, end in itertools.pairwise(starts)]
