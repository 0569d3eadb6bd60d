"""Slots (-c) as one worker claims them before a backend starts and frees them when it ends. Never reaps."""

import asyncio
from collections.abc import Callable

from ...core.client.limits import Keys
from ...core.service.slot_queue import SlotQueue
from .scoreboard import NOBODY, Scoreboard


class Slots:
    """Claims and frees slots of the whole service for one worker's clients.

    reserve: how many are kept for clients that may relay. changed: called whenever a slot of ours is given back, and
    whenever a client begins to wait for one; serve_waiting() is then to be called.
    """

    def __init__(self, board: Scoreboard, reserve: int, changed: Callable[[], None]) -> None:
        self._board = board
        self._changed = changed
        self._queue: SlotQueue[asyncio.Future[int]] = SlotQueue(reserve)
        self._rows: dict[int, int] = {}
        self._news = False

    @property
    def awaited(self) -> bool:
        """Whether a client of this worker waits for a slot."""
        return self._queue.is_awaited()

    async def reserve(self, *, may_relay: bool) -> int:
        """Claim a slot, at once or when it is the client's turn. To be held or given back.

        may_relay: whether the client's rule sets RELAYCLIENT; such clients come first, and may have reserved slots.
        """
        if not self._queue.must_wait(may_relay=may_relay):
            slot = self._board.claim(self._board.slots, leave=self._queue.leave(may_relay=may_relay))
            if slot is not None:
                return slot
        turn: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._queue.join(turn, may_relay=may_relay)
        self._changed()
        try:
            return await turn
        except BaseException:
            self._forgo(turn)
            raise

    def name(self, slot: int, keys: Keys) -> None:
        """Say under which keys the client of a claimed slot is counted."""
        self._board.name(slot, *keys)

    def count_instead(self, slot: int, place: int, keys: Keys) -> None:
        """Count a client for its claimed slot from now on, and no more for its place. place: row of that."""
        self._board.name(slot, *keys)
        self._board.name(place, *NOBODY)

    def announce(self, slot: int, inode: int) -> None:
        """Say that a backend is about to be started in a claimed slot, with a socket of this inode on 0 and 1."""
        self._board.announce(slot, inode)

    def hold(self, slot: int, pid: int) -> None:
        """Mark a claimed slot as running a backend. pid: its process id."""
        self._board.hold(slot, pid)
        self._rows[pid] = slot

    def ended(self, pid: int) -> None:
        """Give back the slot of a backend that has ended. pid: its process id; one of another worker's is ignored."""
        slot = self._rows.pop(pid, None)
        if slot is not None:
            self.give_back(slot)

    def give_back(self, slot: int) -> None:
        """Free a claimed slot for a client that waits."""
        self._board.give_back(slot, tell=False)
        self._news = True
        self._changed()

    def serve_waiting(self) -> None:
        """Give the waiting clients of this worker slots, in their order, while there are any."""
        while turn := self._queue.first():
            slot = self._board.claim(self._board.slots, leave=turn.leave)
            if slot is None:
                return
            self._queue.serve_first()
            if turn.client.done():  # it is being cancelled
                self.give_back(slot)
            else:
                turn.client.set_result(slot)

    def tell_others(self) -> None:
        """Wake the other workers if slots were given back here that no client here waits for."""
        if self._news and self._board.has_free(self._board.slots):
            self._board.vacancies.tell()
        self._news = False

    def _forgo(self, turn: asyncio.Future[int]) -> None:
        """Take back a client that waits no more, and the slot that it may have got in its last moment."""
        if turn.done() and not turn.cancelled():
            self.give_back(turn.result())
        else:
            self._queue.quit(turn)
            self._changed()
