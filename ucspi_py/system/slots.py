"""One worker's dealings with -c: a slot is claimed before a backend starts and given back when it ends. Never reaps."""

import asyncio
from collections import deque
from collections.abc import Callable

from .later import Later
from .scoreboard import Scoreboard

#: Seconds until those who wait look whether other workers have given slots back.
_LOOK_AGAIN = 0.05


class Slots:
    """The slots of the whole service, as one worker sees them.

    on_vacancy: called whenever a slot becomes free that nobody here waits for.
    """

    def __init__(self, board: Scoreboard, on_vacancy: Callable[[], None]) -> None:
        self._board = board
        self._on_vacancy = on_vacancy
        self._in_hand: int | None = None
        self._rows: dict[int, int] = {}
        self._waiting: deque[tuple[asyncio.Future[int], int]] = deque()
        self._later = Later(_LOOK_AGAIN, self.look_again)

    def ready(self) -> bool:
        """Whether there is a slot for the next client; it is claimed, and stays in our hand until somebody comes."""
        if self._in_hand is None:
            self._in_hand = self._board.claim(self._board.slots)
        return self._in_hand is not None

    async def reserve(self, leave: int = 0) -> int:
        """A slot, at once or when one becomes free, first come, first served. To be held or given back.

        leave: how many slots must stay free for others.
        """
        slot = self._claim(leave)
        if slot is not None:
            return slot
        loop = asyncio.get_running_loop()
        turn: asyncio.Future[int] = loop.create_future()
        self._waiting.append((turn, leave))
        self._later.ask(loop)
        return await turn

    def hold(self, slot: int, pid: int) -> None:
        """A backend was started in a claimed slot."""
        self._board.hold(slot, pid)
        self._rows[pid] = slot

    def ended(self, pid: int) -> None:
        """A backend has ended; its slot is free, to be looked for. One that is none of ours is no matter."""
        slot = self._rows.pop(pid, None)
        if slot is not None:
            self._board.give_back(slot)

    def give_back(self, slot: int) -> None:
        """A slot is free; who has waited longest may have it."""
        self._board.give_back(slot)
        self.look_again()

    def look_again(self) -> None:
        """Serve those who wait, from what we or others have given back."""
        while self._waiting:
            turn, leave = self._waiting[0]
            slot = self._claim(leave)
            if slot is None:
                self._later.ask(turn.get_loop())
                return
            self._waiting.popleft()
            turn.set_result(slot)
        self._on_vacancy()

    def let_go(self) -> None:
        """Give back the slot in our hand: we accept nobody any more."""
        if self._in_hand is not None:
            self._board.give_back(self._in_hand)
            self._in_hand = None

    def _claim(self, leave: int) -> int | None:
        if self._in_hand is None:
            return self._board.claim(self._board.slots, leave=leave)
        if leave and self._board.free(self._board.slots) < leave:
            return None
        slot, self._in_hand = self._in_hand, None
        return slot
