"""A loop whose time goes on by itself: a wait of hours takes none, and its end is known to the second."""

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class _Selector(selectors.DefaultSelector):
    """Waits for nobody, and says so to its loop. passed: seconds that were to be waited."""

    passed = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Take what is there; the time is over at once."""
        found = super().select(0)
        if not found and timeout:
            self.passed += timeout
        return found


class VirtualLoop(asyncio.SelectorEventLoop):
    """Begins at second 1000."""

    def __init__(self) -> None:
        self._virtual = _Selector()
        super().__init__(self._virtual)

    def time(self) -> float:
        """Tell the second."""
        return 1000.0 + self._virtual.passed

    def hold_up(self, seconds: float) -> None:
        """Let time pass in which nothing has its turn, as where others have the processor."""
        self._virtual.passed += seconds


def run(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run something in a time of its own."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(coroutine)
