"""The pending rows of clients without a program (--held), as one worker uses them. Never talks to any of them."""

import asyncio
from collections import deque
from collections.abc import Callable

from .scoreboard import Scoreboard


class Places:
    """Hands out the pending rows. changed: called whenever serve_waiting() is to be called."""

    def __init__(self, board: Scoreboard, changed: Callable[[], None]) -> None:
        self._board = board
        self._changed = changed
        self._waiting: deque[asyncio.Future[int]] = deque()
        self._news = False

    @property
    def awaited(self) -> bool:
        """Whether a client of this worker waits for a place."""
        return bool(self._waiting)

    def any_left(self) -> bool:
        """Whether one more client could have a place: a free one, or that of a client that is held refused."""
        return self._board.has_free(self._board.pending) or self._board.anybody_held()

    def claim(self) -> int | None:
        """Claim a free place; None where there is none or clients wait. To be given back."""
        return None if self._waiting else self._board.claim(self._board.pending)

    async def make(self) -> int:
        """Wait for a place: that of the client held longest, which is asked to leave, or the next that is free.

        To be given back. The client that leaves may be another worker's.
        """
        self._board.dismiss_oldest()
        turn: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        self._changed()
        try:
            return await turn
        except BaseException:
            if turn in self._waiting:
                self._waiting.remove(turn)
            elif not turn.cancelled():
                self.give_back(turn.result())
            raise

    def give_back(self, row: int) -> None:
        """Free a place for a client that waits. row: the place on the scoreboard."""
        try:
            self.note_news()
        finally:
            self._board.give_back(row, tell=False)
        self._changed()

    def note_news(self) -> None:
        """Remember to wake the other workers for a place; they wait only where all were taken."""
        self._news = self._news or not self._board.has_free(self._board.pending)

    def serve_waiting(self) -> None:
        """Give the waiting clients of this worker places, first come, first served, while there are any."""
        while self._waiting and (row := self._board.claim(self._board.pending)) is not None:
            turn = self._waiting.popleft()
            if turn.done():  # it is being cancelled
                self.give_back(row)
            else:
                turn.set_result(row)

    def look_again(self) -> None:
        """Dismiss another held client for each that waits still: a worker that was asked may have been killed."""
        for _ in self._waiting:
            self._board.dismiss_oldest()

    def tell_others(self) -> None:
        """Wake the other workers if places were given back here that no client here waits for."""
        if self._news and self.any_left():
            self._board.vacancies.tell()
        self._news = False
