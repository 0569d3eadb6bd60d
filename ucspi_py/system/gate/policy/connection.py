"""One connection to a policy service: one question at a time. Never opened again when it is lost."""

import asyncio
import time

from ....core.policy.asking import NotAReply, ReplyReader


class Lost(Exception):
    """The connection is of no use any more. sentence: why."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


class PolicyConnection(asyncio.Protocol):
    """A connection, as the loop makes it.

    born: monotonic second. questions: how many were asked on it. timer: to be set; closes it one day.
    """

    def __init__(self) -> None:
        self.born = time.monotonic()
        self.questions = 0
        self.timer: asyncio.TimerHandle | None = None
        self._transport: asyncio.Transport | None = None
        self._reader = ReplyReader()
        self._answered: asyncio.Future[bytes] | None = None

    @property
    def is_open(self) -> bool:
        """Whether it may be asked."""
        return self._transport is not None

    async def ask(self, request: bytes) -> bytes:
        """Ask -> the action. Raises Lost and NotAReply; whoever is cancelled closes the connection."""
        if self._transport is None:
            raise Lost("it has closed the connection")
        self.questions += 1
        self._reader = ReplyReader()
        self._answered = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        try:
            return await self._answered
        finally:
            self._answered = None

    def close(self) -> None:
        """End it at once."""
        if self.timer:
            self.timer.cancel()
        if self._transport:
            self._transport.abort()
            self._transport = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See asyncio.Protocol."""
        if not isinstance(transport, asyncio.Transport):
            raise TypeError(transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Take a piece of the reply; what nobody has asked for ends the connection."""
        if self._answered is None or self._answered.done():
            self.close()
            return
        try:
            action = self._reader.receive(data)
        except NotAReply as failure:
            self._answered.set_exception(failure)
            return
        if action is not None:
            self._answered.set_result(action)

    def connection_lost(self, exc: Exception | None) -> None:
        """See asyncio.Protocol."""
        self.close()
        self._transport = None
        if self._answered and not self._answered.done():
            self._answered.set_exception(exc or Lost("it has closed the connection"))
