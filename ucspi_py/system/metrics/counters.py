"""Counters of a whole service, in memory that its processes share: a column of cells for each. Never shows them.

No lock: each process writes to its own column, and whoever reads sums them up. A column goes on with all that stands in
it to another process once its owner has ended, however it did, so no count is ever lost and none goes back.
"""

import mmap

from ...core.metrics.counted import Histogram, microseconds
from ...core.metrics.names import CELLS, GAUGES

_WORD = 8
#: Words before the columns: how many of these were ever given out, and how many workers serve.
_USED, _STANDING, _HEAD = range(3)
#: Columns beside two for each worker slot: SIGHUP has relieved workers finish long sessions. What is not used costs no
#: memory.
_MORE = 1000


class Column:
    """The cells of one process."""

    __slots__ = ("_cells",)

    def __init__(self, cells: memoryview) -> None:
        self._cells = cells

    def count(self, cell: int, more: int = 1) -> None:
        """Add to a cell. cell: its number. more: how much."""
        self._cells[cell] += more

    def move(self, cell: int, by: int) -> None:
        """Add to a gauge's cell, which never is below 0. cell: its number. by: how much, below 0 = take away."""
        self._cells[cell] = max(0, self._cells[cell] + by)

    def observe(self, histogram: Histogram, seconds: float) -> None:
        """Count a value in its bucket, and in the sum. seconds: the value."""
        self._cells[histogram.bucket(seconds)] += 1
        self._cells[histogram.sum()] += microseconds(seconds)


class Counters:
    """All columns, zero at the start; column 0 is the master's. workers: slots of workers."""

    def __init__(self, workers: int) -> None:
        self._columns = 1 + 2 * workers + _MORE
        self._memory = mmap.mmap(-1, _WORD * (_HEAD + self._columns * CELLS))
        self._words = memoryview(self._memory).cast("Q")
        self._owners: dict[int, int] = {}
        self.masters = self.column(0)

    def column(self, number: int) -> Column:
        """A column, from now on one of those that are summed up. number: from 0."""
        self._words[_USED] = max(self._words[_USED], number + 1)
        first = _HEAD + number * CELLS
        return Column(self._words[first : first + CELLS])

    def free(self) -> int:
        """The number of a column for the next worker, to be told by the master alone.

        The last one where all are taken, which its owners then share: they may lose counts to each other.
        """
        taken = self._owners.values()
        return next((number for number in range(1, self._columns) if number not in taken), self._columns - 1)

    def given(self, number: int, pid: int) -> None:
        """Keep a column for a worker. number: of the column. pid: the worker's process id."""
        self._owners[pid] = number

    def ended(self, pid: int) -> None:
        """Let the next worker have the column of one that has ended, with all but its gauges. pid: its process id."""
        number = self._owners.pop(pid, None)
        if number is not None:
            for cell in GAUGES:
                self._words[_HEAD + number * CELLS + cell] = 0

    def sum(self, cell: int) -> int:
        """What all processes have counted in a cell. cell: its number."""
        cells = self._words[_HEAD + cell : _HEAD + self._words[_USED] * CELLS : CELLS]
        return sum(cells.tolist())

    def stand(self, workers: int) -> None:
        """Say how many workers serve now. workers: their number."""
        self._words[_STANDING] = workers

    def standing(self) -> int:
        """How many workers serve now."""
        return self._words[_STANDING]
