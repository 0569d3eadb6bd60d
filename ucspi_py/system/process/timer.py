"""A coalesced timer: one call some time later, however often it is asked for meanwhile."""

import asyncio
from collections.abc import Callable


class Timer:
    """Makes one call. seconds: from the first time that it is asked for."""

    def __init__(self, seconds: float, call: Callable[[], None]) -> None:
        self._seconds = seconds
        self._call = call
        self._timer: asyncio.TimerHandle | None = None

    def ask(self, loop: asyncio.AbstractEventLoop) -> None:
        """Schedule the call, unless it is scheduled already."""
        if self._timer is None:
            self._timer = loop.call_later(self._seconds, self._fire)

    def _fire(self) -> None:
        self._timer = None
        self._call()
