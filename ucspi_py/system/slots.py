"""One worker's share of -c: a slot is reserved before a backend starts and freed when it ends. Never reaps.

A slot is a row of the scoreboard that belongs to this worker.
"""

import asyncio
from collections import deque
from collections.abc import Callable

from .scoreboard import Scoreboard


class Slots:
    """The worker's rows.

    on_vacancy: called whenever a slot becomes free that nobody waits for.
    """

    def __init__(self, board: Scoreboard, rows: range, on_vacancy: Callable[[], None]) -> None:
        self._board = board
        self._on_vacancy = on_vacancy
        self._free = [row for row in reversed(rows) if board.is_free(row)]
        # Backends of a dead worker whose rows we have: the master frees them as it buries them.
        self._inherited = {row for row in rows if not board.is_free(row)}
        self._rows: dict[int, int] = {}
        self._waiting: deque[asyncio.Future[int]] = deque()

    @property
    def vacant(self) -> bool:
        """Whether a client accepted now would get a slot at once."""
        return bool(self._free)

    async def reserve(self) -> int:
        """A slot, at once or when one becomes free, first come, first served. To be held or released."""
        if self._free:
            return self._free.pop()
        turn: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        return await turn

    def hold(self, slot: int, pid: int) -> None:
        """A backend was started in a reserved slot."""
        self._board.hold(slot, pid)
        self._rows[pid] = slot

    def ended(self, pid: int) -> None:
        """A backend has ended; its slot is free. One that is none of ours is no matter."""
        slot = self._rows.pop(pid, None)
        if slot is not None:
            self._board.free(slot)
            self.release(slot)

    def release(self, slot: int) -> None:
        """Give a slot to who has waited longest, or back."""
        if self._waiting:
            self._waiting.popleft().set_result(slot)
        else:
            self._free.append(slot)
            self._on_vacancy()

    def recover(self) -> None:
        """Take over the rows that the master has freed since it started us."""
        for slot in [slot for slot in self._inherited if self._board.is_free(slot)]:
            self._inherited.remove(slot)
            self.release(slot)
