"""TLS keys, asked of the guard by a worker, which may not read their files. Never looks into one."""

import asyncio
import os
import socket
from collections.abc import Sequence

from ...core.guard import request
from ...core.guard.request import KeysAsked
from . import channel
from .channel import Guarded

#: Seconds that the guard may take to read files.
_PATIENCE = 10.0


class GuardKeys:
    """A source of keys (system/tls). guarded: the guard, which may be gone."""

    def __init__(self, guarded: Guarded) -> None:
        self._guarded = guarded
        self._known = 0

    async def fetch(self) -> Sequence[int] | None:
        """Fetch descriptors of sealed PEMs, in the order of the pairs, for the caller to close; None: nothing is new.

        Where the guard is gone, they are those of the start, once. Never raises OSError for a guard's sake.
        """
        try:
            async with asyncio.timeout(_PATIENCE):
                return await self._ask()
        except OSError:  # or TimeoutError, which is one
            return None if self._known else self._as_at_start()

    async def _ask(self) -> Sequence[int] | None:
        with channel.ask(self._guarded.channel, request.encode(KeysAsked(self._known)) or b"") as ours:
            await _readable(ours)
            taken = channel.take(ours, request.ANSWER_LIMIT, len(self._guarded.keys))
        number = request.generation_of(taken.packet) if taken else None
        if taken is None or number is None:
            raise OSError("the guard is gone")
        if number == self._known:
            return None
        self._known = number
        return taken.fds

    def _as_at_start(self) -> list[int]:
        self._known = 1
        return [os.dup(fd) for fd in self._guarded.keys]


async def _readable(answer: socket.socket) -> None:
    """Wait until something has come, or will not come any more."""
    loop = asyncio.get_running_loop()
    came: asyncio.Future[None] = loop.create_future()
    loop.add_reader(answer, _set, came)
    try:
        await came
    finally:
        loop.remove_reader(answer)


def _set(came: asyncio.Future[None]) -> None:
    if not came.done():
        came.set_result(None)
