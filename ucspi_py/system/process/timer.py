"""A call that is due some time later, however often it is asked for. Never more than one is on its way."""

import asyncio
from collections.abc import Callable


class Timer:
    """Makes one call, ``seconds`` after it was first asked for."""

    def __init__(self, seconds: float, call: Callable[[], None]) -> None:
        self._seconds = seconds
        self._call = call
        self._timer: asyncio.TimerHandle | None = None

    def ask(self, loop: asyncio.AbstractEventLoop) -> None:
        """Have the call made, unless it is on its way already."""
        if self._timer is None:
            self._timer = loop.call_later(self._seconds, self._fire)

    def _fire(self) -> None:
        self._timer = None
        self._call()
