"""All clients that are inside, a row each beside the scoreboard's, in memory that processes share.

No lock: whoever owns a row of the scoreboard writes the row here, and who reads it passes over one that is half
written. So nobody waits for a process that is stopped, or for one who reads slowly.
"""

import mmap
import os
import time
from collections.abc import Iterator

from ...core.top.visitor import SIZE, State, Visitor, packed, unpacked
from ..accept.scoreboard import Scoreboard

#: How often a row is read that is just being written.
_TRIES = 3
_NOBODY = bytes(SIZE)


class Inside:
    """The clients on a scoreboard. board: it says which rows are whose."""

    def __init__(self, board: Scoreboard) -> None:
        self._board = board
        self._memory = mmap.mmap(-1, max(1, board.pending.stop) * SIZE)
        self._version = 0

    def write(self, row: int, visitor: Visitor) -> None:
        """Say who is in a row of this process."""
        self._version += 1
        self._memory[row * SIZE : (row + 1) * SIZE] = packed(visitor, self._version)

    def clear(self, row: int) -> None:
        """Say that nobody is in a row of this process."""
        self._memory[row * SIZE : (row + 1) * SIZE] = _NOBODY

    def visitors(self) -> Iterator[Visitor]:
        """All that are inside, each once: who has a place as well as a program, by the place."""
        board, programs = self._board, set()
        for row, owner in board.taken(board.pending):
            visitor = self._read(row)
            if visitor and visitor.worker == owner:
                programs.add((visitor.program, visitor.ip, visitor.port))
                yield visitor
        for row, pid in board.backends():
            visitor = self._read(row)
            if visitor and visitor.program == pid and (pid, visitor.ip, visitor.port) not in programs:
                yield visitor

    def _read(self, row: int) -> Visitor | None:
        for _ in range(_TRIES):
            visitor = unpacked(self._memory[row * SIZE : (row + 1) * SIZE])
            if visitor:
                return visitor
        return None

    def socket(self, slot: int) -> int:
        """The inode of what the program of a slot of this process has as its client. slot: its row."""
        return self._board.socket(slot)


class Visit:
    """One client in its row, as long as it is there. See Watch, also for slot and pid.

    row: of the scoreboard. socket: the inode of its connection.
    """

    __slots__ = ("_inside", "_row", "_visitor", "_wanted")

    def __init__(self, inside: Inside, row: int, ip: bytes, port: bytes, socket: int) -> None:
        self._inside = inside
        self._row: int | None = row
        self._visitor = Visitor(time.monotonic_ns(), os.getpid(), ip, int(port), socket=socket)
        self._wanted: list[bytes] = []
        inside.write(row, self._visitor)

    def known(self, name: bytes | None, /) -> None:
        """See Watch."""
        self._write(self._visitor._replace(name=name or b""))

    def at(self, state: State, helo: bytes = b"", /) -> None:
        """See Watch."""
        self._write(self._visitor._replace(state=state, helo=helo))

    def waits(self, what: bytes, /) -> None:
        """See Watch."""
        self._write(self._visitor._replace(waits=what))

    def logged_in(self, user: bytes, /) -> None:
        """See Watch."""
        self._write(self._visitor._replace(user=user))

    def took(self) -> None:
        """See Watch."""
        self._write(self._visitor._replace(messages=self._visitor.messages + 1))

    def started(self, slot: int, pid: int, _ip: bytes, _port: bytes, name: bytes | None, /) -> None:
        """See Watch. Its program's row has it as well, should the program outlive its place."""
        self._write(self._visitor._replace(program=pid))
        self._inside.write(slot, self._visitor._replace(state=State.PROGRAM, name=name or b"", waits=b""))

    def asks(self, zone: bytes) -> None:
        """Hear that a zone is asked about it."""
        self._wanted.append(zone)
        self.waits(b" ".join(self._wanted))

    def answered(self, zone: bytes) -> None:
        """Hear that a zone has answered."""
        self._wanted.remove(zone)
        self.waits(b" ".join(self._wanted))

    def close(self) -> None:
        """Give the row up: another's client may be in it at once."""
        if self._row is not None:
            self._inside.clear(self._row)
            self._row = None

    def _write(self, visitor: Visitor) -> None:
        self._visitor = visitor
        if self._row is not None:
            self._inside.write(self._row, visitor)
