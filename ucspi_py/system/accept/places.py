"""The places of clients without a program (--held), as one worker sees them. Never talks to any of them."""

import asyncio
from collections import deque
from collections.abc import Callable

from .scoreboard import Scoreboard


class Places:
    """The pending rows. changed: called whenever serve_waiting() is to be called."""

    def __init__(self, board: Scoreboard, changed: Callable[[], None]) -> None:
        self._board = board
        self._changed = changed
        self._waiting: deque[asyncio.Future[int]] = deque()
        self._news = False

    @property
    def awaited(self) -> bool:
        """Whether anybody here waits for a place."""
        return bool(self._waiting)

    def any_left(self) -> bool:
        """Whether one more client could have a place, its own or that of one that is held refused."""
        return self._board.has_free(self._board.pending) or self._board.anybody_held()

    def claim(self) -> int | None:
        """A free place that nobody waits for. To be given back."""
        return None if self._waiting else self._board.claim(self._board.pending)

    async def make(self) -> int:
        """A place when there is none: that of whoever is held longest, in any worker, or the next that is free.

        To be given back.
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
        """Free a place for whoever waits."""
        try:
            self.note_news()
        finally:
            self._board.give_back(row, tell=False)
        self._changed()

    def note_news(self) -> None:
        """Remember to tell the others that there is a place; they wait only where all were taken."""
        self._news = self._news or not self._board.has_free(self._board.pending)

    def serve_waiting(self) -> None:
        """Give those who wait here their places, as far as there are any."""
        while self._waiting and (row := self._board.claim(self._board.pending)) is not None:
            turn = self._waiting.popleft()
            if turn.done():  # it is being cancelled
                self.give_back(row)
            else:
                turn.set_result(row)

    def look_again(self) -> None:
        """Ask another held client to leave for each that waits still: a worker that was asked may have been killed."""
        for _ in self._waiting:
            self._board.dismiss_oldest()

    def tell_others(self) -> None:
        """Tell the other workers of places that were given back here and that nobody here waits for."""
        if self._news and self.any_left():
            self._board.vacancies.tell()
        self._news = False
