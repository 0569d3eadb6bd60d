"""One client of a policy server, as Postfix's smtpd is one: its requests are answered in their order."""

import asyncio
import math
import socket
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from ...core.policy import reply
from ...core.policy.request import Garbage, NotPolicy, Request, RequestReader
from ...core.postgrey import loglines
from ..report.log import Log
from ..stream.stream import Stream

#: Seconds that a client may say nothing (Postfix hangs up after 300), and that a request may take to come.
_IDLE, _WHOLE = 600.0, 100.0


@dataclass(frozen=True, slots=True)
class Manner:
    """How connections are answered. answer: makes the action for a request. closes: after the first reply."""

    answer: Callable[[Request], Awaitable[bytes]]
    log: Log
    closes: bool


class Connection:
    """One of them, to be run as a task. client: its socket, which is closed at the end."""

    def __init__(self, loop: asyncio.AbstractEventLoop, client: socket.socket, manner: Manner) -> None:
        self.stream = Stream(loop, client, self._received, time.monotonic() + _IDLE)
        self._client = client
        self._loop = loop
        self._manner = manner
        self._reader = RequestReader()
        self._answering: asyncio.Task[None] | None = None
        self._is_last = False

    async def run(self) -> None:
        """Answer until the client hangs up or has had its time, or drain()."""
        with self._client:
            self.stream.begin()
            try:
                await self.stream.over
            finally:
                self.stream.leave()
                if self._answering:
                    self._answering.cancel()

    def drain(self) -> None:
        """End as soon as what was asked is answered."""
        self._is_last = True
        if self._answering is None and self._reader.is_between and not self.stream.is_sending:
            self.stream.end()

    def _received(self, stream: Stream, data: bytes) -> None:
        was_between = self._reader.is_between
        try:
            complete = self._reader.receive(data)
        except NotPolicy as flaw:
            self._manner.log.warn(loglines.endless(flaw.sentence))
            stream.end()
            return
        if complete:
            stream.pause()
            stream.deadline = math.inf  # whoever answers has limits of its own
            self._answering = self._loop.create_task(self._answer(complete))
        elif was_between:
            stream.deadline = time.monotonic() + _WHOLE

    async def _answer(self, complete: list[Request | Garbage]) -> None:
        try:
            replies = b"".join([await self._reply(one) for one in complete])
        except Exception as error:  # what nobody has thought of: whoever asks knows what to do without a reply
            self._manner.log.warn(loglines.warning(f"internal error: {error!r}"))
            self.stream.end()
            return
        self._answering = None
        self.stream.deadline = time.monotonic() + (_IDLE if self._reader.is_between else _WHOLE)
        self._is_last = self._is_last or (self._manner.closes and bool(replies))
        self.stream.send(replies, last=self._is_last)
        self.stream.begin()

    async def _reply(self, one: Request | Garbage) -> bytes:
        if isinstance(one, Request):
            return reply.packed(await self._manner.answer(one))
        self._manner.log.warn(loglines.garbage(one.line))
        return b""
