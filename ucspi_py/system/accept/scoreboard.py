"""The scoreboard: a row for each client inside, in memory that master and workers share. Never starts or reaps.

Two stretches of rows: ``slots``, one for each backend that -c allows, and ``pending``, for clients that are looked up,
screened or held without a backend. A row is free, claimed by a worker, starting a backend, or running one; a pending
row may be held by a client that can be asked to leave. Any worker may claim any free row, so -c is one limit for the
whole service; a lock of each row, which dies with its holder, makes that exact.
"""

import os
from collections.abc import Callable, Collection, Iterator
from typing import NamedTuple

from ...core.client.limits import Keys
from ...core.service.adoption import Announcement
from ..process import orphans
from ..process.shared_memory import SharedMemory
from .vacancies import Vacancies

_FREE, _CLAIMED, _RUNNING, _STARTING, _HELD, _DISMISSED = range(6)
_FREE_BYTE, _HELD_BYTE, _DISMISSED_BYTE = bytes((_FREE,)), bytes((_HELD,)), bytes((_DISMISSED,))
_NOBODY = 0

#: Bytes of the fields of a row: client key, network key, socket, nanosecond; pid, owner. The states stand apart.
_KEY, _PID = 8, 4
#: The largest value of a column: the earlier a client was held, the larger is what is left to it.
_LAST_NANOSECOND = 2**64 - 1


#: The keys of a row whose client is not counted.
NOBODY = Keys(0, 0)


class Place(NamedTuple):
    """A client's pending row on the scoreboard, and the keys that stand there. row: its number."""

    row: int
    keys: Keys


class Scoreboard:
    """All rows, free at the start, shared with forked children.

    slots: how many for backends (-c). pending: how many for other clients (--held).
    """

    def __init__(self, slots: int, pending: int) -> None:
        self.slots = range(slots)
        self.pending = range(slots, slots + pending)
        rows = slots + pending
        states = -rows % _KEY + rows
        self._shared = SharedMemory(states + rows * (4 * _KEY + 2 * _PID))
        self._memory = self._shared.memory
        fields = memoryview(self._memory)[states:]
        columns = (fields[_KEY * rows * n : _KEY * rows * (n + 1)].cast("Q") for n in range(4))
        self._clients, self._networks, self._sockets, self._since = columns
        self._pids = fields[4 * _KEY * rows : -_PID * rows].cast("I")
        self._owners = fields[-_PID * rows :].cast("I")
        # Of the pending rows: the higher, the longer held; 0 = not held.
        self._seniority = self._since[slots:]
        # Also of these: the key of a client that the gate has let in; 0 = none.
        self._guests = self._sockets[slots:]
        self.vacancies = Vacancies()

    def running(self) -> int:
        """Count the running backends."""
        return self._memory[: len(self.slots)].count(_RUNNING)

    def free(self, rows: range) -> int:
        """Count the free rows of a stretch."""
        return self._memory[rows.start : rows.stop].count(_FREE)

    def has_free(self, rows: range) -> bool:
        """Whether any row of a stretch is free."""
        return self._memory.find(_FREE_BYTE, rows.start, rows.stop) >= 0

    def claim(self, rows: range, *, leave: int = 0) -> int | None:
        """Claim a free row of a stretch; None unless more than ``leave`` are free."""
        if leave and self.free(rows) <= leave:
            return None
        row = self._claim_any(rows)
        if row is not None and leave and self.free(rows) < leave:  # another process has claimed meanwhile
            self.give_back(row)
            return None
        return row

    def _claim_any(self, rows: range) -> int | None:
        row = self._memory.find(_FREE_BYTE, rows.start, rows.stop)
        while row >= 0:
            if self._shared.try_byte(row):
                try:
                    if self._memory[row] == _FREE:
                        self._owners[row] = os.getpid()
                        self._memory[row] = _CLAIMED
                        return row
                finally:
                    self._shared.free_byte(row)
            row = self._memory.find(_FREE_BYTE, row + 1, rows.stop)
        return None

    def name(self, row: int, client: int, network: int) -> None:
        """Write the keys of a client and its network, not 0, into a row."""
        self._clients[row] = client
        self._networks[row] = network

    def announce(self, row: int, socket: int) -> None:
        """Mark a claimed row as starting a backend. socket: the inode of the client's socket (fstat(2))."""
        self._sockets[row] = socket
        self._since[row] = orphans.now()
        self._memory[row] = _STARTING

    def announced(self, row: int) -> Announcement | None:
        """The announcement of the backend that is being started in a row; None where none is."""
        if self._memory[row] != _STARTING:
            return None
        return Announcement(self._sockets[row], orphans.ticks(self._since[row]))

    def hold(self, row: int, pid: int) -> None:
        """Mark a claimed row as running a backend. pid: its process id."""
        self._pids[row] = pid
        self._memory[row] = _RUNNING

    def give_back(self, row: int, *, tell: bool = True) -> None:
        """Free a row. tell: wake the workers that wait now; otherwise the caller has to do it later."""
        if row >= self.pending.start:
            self._seniority[row - self.pending.start] = self._guests[row - self.pending.start] = 0
        self._clients[row] = self._networks[row] = _NOBODY
        self._memory[row] = _FREE
        if tell:
            self.vacancies.tell()

    def let_in(self, row: int, client: int) -> int:
        """Write the key of a client that the gate lets in into its pending row; how many such rows the client has."""
        self._guests[row - self.pending.start] = client
        return self._guests.tolist().count(client)

    def turn_away(self, row: int) -> None:
        """Count a pending row no longer as that of a client that the gate has let in."""
        self._guests[row - self.pending.start] = _NOBODY

    def hold_pending(self, row: int, since: int) -> None:
        """Mark a claimed pending row as that of a client that may be dismissed. since: nanosecond, monotonic clock."""
        self._seniority[row - self.pending.start] = _LAST_NANOSECOND - since
        self._memory[row] = _HELD

    def protect(self, row: int) -> bool:
        """Mark a held pending row as one that nobody may dismiss; False where somebody has dismissed it already."""
        if not self._shared.try_byte(row):
            return False
        try:
            if self._memory[row] != _HELD:
                return False
            self._seniority[row - self.pending.start] = 0
            self._memory[row] = _CLAIMED
            return True
        finally:
            self._shared.free_byte(row)

    def anybody_held(self) -> bool:
        """Whether any client is held that has not been dismissed."""
        return self._memory.find(_HELD_BYTE, self.pending.start, self.pending.stop) >= 0

    def dismiss_oldest(self) -> bool:
        """Dismiss the client that has been held longest, whichever worker has it; False where none is held."""
        held = self._seniority.tolist()
        while seniority := max(held, default=0):
            place = held.index(seniority)
            if self._dismiss(place, seniority):
                self.vacancies.tell(always=True)
                return True
            held[place] = 0
        return False

    def _dismiss(self, place: int, seniority: int) -> bool:
        """Mark a row as dismissed; False where another process was quicker."""
        row = self.pending.start + place
        if not self._shared.try_byte(row):
            return False
        try:
            if self._seniority[place] != seniority:
                return False
            self._seniority[place] = 0
            self._memory[row] = _DISMISSED
            return True
        finally:
            self._shared.free_byte(row)

    def dismissed(self) -> list[int]:
        """Find the rows of held clients of this process that have been dismissed."""
        rows, me = [], os.getpid()
        row = self._memory.find(_DISMISSED_BYTE, self.pending.start, self.pending.stop)
        while row >= 0:
            if self._owners[row] == me:
                rows.append(row)
            row = self._memory.find(_DISMISSED_BYTE, row + 1, self.pending.stop)
        return rows

    def count_client(self, client: int) -> int:
        """Count the rows of a client. client: its key."""
        return self._clients.tolist().count(client)

    def count_network(self, network: int) -> int:
        """Count the rows of a network's clients. network: its key."""
        return self._networks.tolist().count(network)

    def backends(self) -> Iterator[tuple[int, int]]:
        """Yield (row, pid) of every running backend."""
        for row in self.slots:
            if self._memory[row] == _RUNNING:
                yield row, self._pids[row]

    def taken(self, rows: range) -> Iterator[tuple[int, int]]:
        """Yield (row, owner) of every row of a stretch that is not free. owner: the process id of its worker."""
        states = self._memory[rows.start : rows.stop]
        for row, state in zip(rows, states, strict=True):
            if state != _FREE:
                yield row, self._owners[row]

    def socket(self, row: int) -> int:
        """The inode of the socket with which the backend in a row was started."""
        return self._sockets[row]

    def pid(self, row: int) -> int:
        """The process id of the backend that runs in a row."""
        return self._pids[row]

    def orphaned(self, workers: Collection[int]) -> list[int]:
        """Find the rows of backends that none of these workers started. workers: process ids."""
        return [row for row, _ in self.backends() if self._owners[row] not in workers]

    def claimed_by(self, owner: int) -> list[int]:
        """Find the rows that a worker has claimed and runs no backend in. owner: its process id."""
        states = (_CLAIMED, _STARTING, _HELD, _DISMISSED)
        return [row for row in range(self.pending.stop) if self._memory[row] in states and self._owners[row] == owner]

    def bury(self, has_ended: Callable[[int], bool]) -> None:
        """Free the rows of workers that have ended, but for backends that run, and of whose start a worker has heard.

        has_ended: whether a process id has.
        """
        taken = list(self.taken(range(self.pending.stop)))
        dead = set(filter(has_ended, {owner for _, owner in taken}))
        for row, owner in taken:
            if owner in dead and self._shared.try_byte(row):
                try:
                    # Another process may have freed it meanwhile, and a third one have claimed it.
                    is_theirs = self._memory[row] != _FREE and self._owners[row] == owner
                    if is_theirs and (self._memory[row] != _RUNNING or has_ended(self._pids[row])):
                        self.give_back(row)
                finally:
                    self._shared.free_byte(row)
