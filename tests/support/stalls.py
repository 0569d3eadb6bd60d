"""Watching a loop for times in which nobody in it had a turn."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass

#: Seconds between two looks; what takes twice as long is a stall.
_LOOKS = 0.01


@dataclass(slots=True)
class Stalls:
    """What was seen so far. longest: seconds of the longest stall. total: seconds of all of them."""

    longest: float = 0.0
    total: float = 0.0


@contextlib.asynccontextmanager
async def watched() -> AsyncIterator[Stalls]:
    """Watch the running loop for the length of the with block."""
    stalls = Stalls()
    watching = asyncio.create_task(_watch(stalls))
    try:
        yield stalls
        await asyncio.sleep(0)  # a watch that was stalled has its turn
    finally:
        watching.cancel()


async def _watch(stalls: Stalls) -> None:
    while True:
        before = time.monotonic()
        await asyncio.sleep(_LOOKS)
        stall = max(0.0, time.monotonic() - before - 2 * _LOOKS)
        stalls.longest = max(stalls.longest, stall)
        stalls.total += stall
