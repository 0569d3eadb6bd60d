"""Long work in the loop, cut into turns: one in each round of the loop, whoever wants them. Never knows what it is."""

import asyncio
from collections import deque
from collections.abc import Callable

#: One turn: does some of the work; whether there is more of it.
Turn = Callable[[], bool]


class Turns:
    """Those who want turns, one after the other. Between two turns the loop looks after everybody else."""

    def __init__(self) -> None:
        self._waiting: deque[Turn] = deque()
        self._is_due = False

    def want(self, turn: Turn) -> None:
        """Have turns until one says that there is no more to do. An exception of one is the loop's to tell."""
        if turn not in self._waiting:
            self._waiting.append(turn)
            self._go_on()

    def leave(self, turn: Turn) -> None:
        """Have no turn any more."""
        if turn in self._waiting:
            self._waiting.remove(turn)

    def _go_on(self) -> None:
        if self._waiting and not self._is_due:
            self._is_due = True
            asyncio.get_running_loop().call_soon(self._give)

    def _give(self) -> None:
        self._is_due = False
        if not self._waiting:
            return
        turn = self._waiting.popleft()
        try:
            if turn() and turn not in self._waiting:
                self._waiting.append(turn)
        finally:
            self._go_on()
