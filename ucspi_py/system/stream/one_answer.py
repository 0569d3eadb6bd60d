"""Whoever asks at a listening socket gets one answer, in a process that has nothing else to do. Never makes an answer.

So no client of the service waits for one who asks or reads slowly.
"""

import asyncio
import contextlib
import socket
from collections.abc import Awaitable, Callable
from typing import NamedTuple

#: Hears a question and writes the answer. What it lets pass of OSError, TimeoutError and of asyncio's ends it unheard.
Answer = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class Limits(NamedTuple):
    """backlog: connections that may wait to be accepted. at_once: those that are answered at once; more are left.

    seconds: that one has from its connection to the last byte of the answer. request: bytes of a question.
    """

    backlog: int
    at_once: int
    seconds: float
    request: int


class OneAnswer:
    """Answers at a socket. answer: as of Answer."""

    def __init__(self, answer: Answer, limits: Limits) -> None:
        self._answer = answer
        self._limits = limits
        self._asking = 0

    async def serve(self, listener: socket.socket) -> asyncio.Server:
        """Begin to answer."""
        start = asyncio.start_unix_server if listener.family == socket.AF_UNIX else asyncio.start_server
        return await start(self._meet, sock=listener, limit=self._limits.request, backlog=self._limits.backlog)

    async def _meet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._asking += 1
        try:
            if self._asking <= self._limits.at_once:
                writer.transport.set_write_buffer_limits(0)  # so that nothing is left when it is aborted
                async with asyncio.timeout(self._limits.seconds):
                    await self._answer(reader, writer)
        except (OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass  # whoever asks nothing, or too much, or reads too slowly, has no answer
        finally:
            self._asking -= 1
            writer.transport.abort()


async def until_gone(death: int, look: Callable[[], None], seconds: float | None) -> None:
    """Wait until a descriptor ends. death: it. look: called at once, and again each so many seconds, None = once."""
    over = asyncio.Event()
    asyncio.get_running_loop().add_reader(death, over.set)
    while not over.is_set():
        look()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await over.wait()
