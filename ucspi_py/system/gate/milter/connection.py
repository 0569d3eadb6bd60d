"""One connection to a milter: a dialogue at its socket, no wait without a limit. Never opened again when it is lost."""

import asyncio
from collections.abc import Callable

from ....core.milter.changes import Change
from ....core.milter.dialogue import Answer, MilterDialogue, Passed
from ....core.milter.negotiation import Offer

#: Bytes for a milter that wait in our process: with more of them it is waited for.
_FULL = 256 * 1024


Take = Callable[[list[Change]], None]


class MilterConnection(asyncio.Protocol):
    """A connection, as the loop makes it. offer: what the milter is offered.

    dialogue: is told of events; the answer then comes from answer(). timer: to be set; closes it one day.
    """

    def __init__(self, offer: Offer) -> None:
        self.dialogue = MilterDialogue(offer)
        self.timer: asyncio.TimerHandle | None = None
        self._offer = offer
        self._transport: asyncio.Transport | None = None
        self._moved: asyncio.Future[None] | None = None
        self._is_full = False

    @property
    def is_open(self) -> bool:
        """Whether the milter is there."""
        return self._transport is not None

    async def answer(self, seconds: float, take: Take | None = None) -> Answer:
        """Send what the dialogue has for the milter, and wait for the answer.

        seconds: for each thing that the milter says. take: gets what it wants to have changed, as that comes.
        A milter that is late has failed, as the dialogue then says. Cancelled, it closes the connection.
        """
        self.send()
        try:
            while (found := self.dialogue.answer) is None or self._is_full:
                await self._packet(seconds)
                if take:
                    take(self.dialogue.take_changes())
        except TimeoutError:
            self._fail(f"it said nothing for {seconds:.0f} seconds")
            return Passed.ON
        except BaseException:
            self._fail("was left before its answer")
            raise
        if self.dialogue.failure:
            self.close()
        return found

    def send(self) -> None:
        """Send what the dialogue has for the milter."""
        output = self.dialogue.take_output()
        if output and self._transport:
            self._transport.write(output)

    def anew(self) -> None:
        """Begin with another client, of whom nothing is known yet; what is agreed on stays."""
        self.dialogue = MilterDialogue(self._offer, self.dialogue.agreed)

    def close(self) -> None:
        """End it at once; what is not sent yet is lost."""
        transport = self._left()
        if transport:
            transport.abort()

    def finish(self) -> None:
        """End it when all is sent."""
        transport = self._left()
        if transport:
            transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See asyncio.Protocol."""
        if not isinstance(transport, asyncio.Transport):
            raise TypeError(transport)
        transport.set_write_buffer_limits(high=_FULL)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Take what the milter says."""
        self.dialogue.receive(data)
        self._wake()

    def pause_writing(self) -> None:
        """See asyncio.Protocol."""
        self._is_full = True

    def resume_writing(self) -> None:
        """See asyncio.Protocol."""
        self._is_full = False
        self._wake()

    def connection_lost(self, _exc: Exception | None) -> None:
        """See asyncio.Protocol."""
        self._transport = None
        self._is_full = False
        self.dialogue.receive_end()
        self._wake()

    async def _packet(self, seconds: float) -> None:
        """Wait until a packet is whole, or there is room: pieces of one are no sign of life."""
        heard = self.dialogue.heard
        async with asyncio.timeout(seconds):
            while heard == self.dialogue.heard and (self.dialogue.answer is None or self._is_full):
                await self._movement()

    async def _movement(self) -> None:
        self._moved = asyncio.get_running_loop().create_future()
        try:
            await self._moved
        finally:
            self._moved = None

    def _wake(self) -> None:
        if self._moved and not self._moved.done():
            self._moved.set_result(None)

    def _fail(self, sentence: str) -> None:
        self.dialogue.fail(sentence)
        self._is_full = False
        self.close()

    def _left(self) -> asyncio.Transport | None:
        if self.timer:
            self.timer.cancel()
        transport, self._transport = self._transport, None
        return transport
