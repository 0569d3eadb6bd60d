"""All pumps of one worker: how long each may be silent, and how long all may stay. Never carries a byte itself."""

import asyncio
import math
import time

from ..stream.stream import Deadlines
from .pump import Pump

#: Seconds that clients are left when their worker is relieved: they end with it.
_DRAIN = 3600.0


class Pumps:
    """Those that work."""

    def __init__(self) -> None:
        self._pumps: set[Pump] = set()
        self._deadlines = Deadlines(self._pumps)
        self._last_second = math.inf

    async def carry(self, pump: Pump) -> None:
        """Have one work until it is over."""
        pump.last_second = self._last_second
        self._pumps.add(pump)
        self._deadlines.ask(asyncio.get_running_loop())
        try:
            pump.begin()
            await pump.over
        finally:
            self._pumps.discard(pump)
            pump.leave()

    def drain(self) -> None:
        """Leave each an hour."""
        self._last_second = time.monotonic() + _DRAIN
        for pump in self._pumps:
            pump.last_second = self._last_second
            pump.deadline = min(pump.deadline, self._last_second)
