"""Who is inside: rows in memory that the master shares with its workers. Never starts or reaps anything.

Two stretches of rows: ``slots``, one for each backend that -c allows, and ``hall``, for clients that are being looked
up, screened or held without a backend. A row is free, claimed by a worker, starting a backend, or running one. Any
worker may claim any free row, so -c is one limit for the whole service; a lock of each row, which dies with its holder,
makes that exact.
"""

import os
from collections.abc import Collection, Iterator

from ..core.adoption import Announcement
from . import orphans
from .shared_memory import SharedMemory

_FREE, _CLAIMED, _RUNNING, _STARTING = range(4)
_FREE_BYTE = bytes((_FREE,))
_NOBODY = 0

#: Bytes of the fields of a row: client key, network key, socket, clock ticks; pid, owner. The states stand apart.
_KEY, _PID = 8, 4


class Scoreboard:
    """``slots`` rows for backends and ``hall`` rows for other clients, all free, shared with forked children."""

    def __init__(self, slots: int, hall: int) -> None:
        self.slots = range(slots)
        self.hall = range(slots, slots + hall)
        rows = slots + hall
        states = -rows % _KEY + rows
        self._shared = SharedMemory(states + rows * (4 * _KEY + 2 * _PID))
        self._memory = self._shared.memory
        fields = memoryview(self._memory)[states:]
        columns = (fields[_KEY * rows * n : _KEY * rows * (n + 1)].cast("Q") for n in range(4))
        self._clients, self._networks, self._sockets, self._since = columns
        self._pids = fields[4 * _KEY * rows : -_PID * rows].cast("I")
        self._owners = fields[-_PID * rows :].cast("I")

    def running(self) -> int:
        """How many backends run."""
        return self._memory[: len(self.slots)].count(_RUNNING)

    def free(self, rows: range) -> int:
        """How many rows of a stretch may be claimed."""
        return self._memory[rows.start : rows.stop].count(_FREE)

    def has_free(self, rows: range) -> bool:
        """Whether any row of a stretch may be claimed."""
        return self._memory.find(_FREE_BYTE, rows.start, rows.stop) >= 0

    def claim(self, rows: range, *, leave: int = 0) -> int | None:
        """A free row of a stretch, now ours; None unless more than ``leave`` are free."""
        if leave and self.free(rows) <= leave:
            return None
        row = self._claim_any(rows)
        if row is not None and leave and self.free(rows) < leave:  # somebody else has claimed meanwhile
            self.give_back(row)
            return None
        return row

    def _claim_any(self, rows: range) -> int | None:
        row = self._memory.find(_FREE_BYTE, rows.start, rows.stop)
        while row >= 0:
            with self._shared.byte(row) as alone:
                if alone and self._memory[row] == _FREE:
                    self._owners[row] = os.getpid()
                    self._memory[row] = _CLAIMED
                    return row
            row = self._memory.find(_FREE_BYTE, row + 1, rows.stop)
        return None

    def name(self, row: int, client: int, network: int) -> None:
        """Say whose row it is: keys of the client and its network, not 0."""
        self._clients[row] = client
        self._networks[row] = network

    def announce(self, row: int, socket: int) -> None:
        """Say that a backend is about to be started in a claimed row, with a client's socket of this inode."""
        self._sockets[row] = socket
        self._since[row] = orphans.ticks()
        self._memory[row] = _STARTING

    def announced(self, row: int) -> Announcement | None:
        """What was said of the backend that is being started in a row; None where none is."""
        if self._memory[row] != _STARTING:
            return None
        return Announcement(self._sockets[row], self._since[row])

    def hold(self, row: int, pid: int) -> None:
        """A backend runs in a claimed row."""
        self._pids[row] = pid
        self._memory[row] = _RUNNING

    def give_back(self, row: int) -> None:
        """The row is free again."""
        self._clients[row] = self._networks[row] = _NOBODY
        self._memory[row] = _FREE

    def count_client(self, client: int) -> int:
        """How many rows a client has."""
        return self._clients.tolist().count(client)

    def count_network(self, network: int) -> int:
        """How many rows the clients of a network have."""
        return self._networks.tolist().count(network)

    def backends(self) -> Iterator[tuple[int, int]]:
        """Yield (row, pid) of every running backend."""
        for row in self.slots:
            if self._memory[row] == _RUNNING:
                yield row, self._pids[row]

    def pid(self, row: int) -> int:
        """The backend that runs in a row."""
        return self._pids[row]

    def orphaned(self, workers: Collection[int]) -> list[int]:
        """The rows of backends that none of these workers started."""
        return [row for row, _ in self.backends() if self._owners[row] not in workers]

    def claimed_by(self, owner: int) -> list[int]:
        """The rows that a worker has claimed and put no backend in."""
        rows = range(self.hall.stop)
        return [row for row in rows if self._memory[row] in (_CLAIMED, _STARTING) and self._owners[row] == owner]
