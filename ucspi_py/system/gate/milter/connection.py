"""One connection to a milter: a dialogue at its socket, no wait without a limit. Never opened again when it is lost."""

import asyncio
import math
import socket
from collections.abc import Callable

from ....core.milter.changes import Change
from ....core.milter.dialogue import Answer, MilterDialogue, Passed
from ....core.milter.negotiation import Offer
from ....core.milter.words import Event
from ..backend.backend_socket import BackendSocket

#: Bytes of a milter's that are read at once: another body comes in packets of 64 KB.
_PIECE = 64 * 1024
#: Bytes that wait for something to which the milter has an answer: each packet that is sent wakes it.
_LITTLE = 4096

Take = Callable[[list[Change]], None]


class MilterConnection:
    """A connection. offer: what the milter is offered. connected: to the milter; close() closes it.

    dialogue: with the milter. timer: to be set; closes it one day.
    """

    def __init__(self, offer: Offer, connected: socket.socket) -> None:
        self.dialogue = MilterDialogue(offer)
        self.is_open = True
        self.timer: asyncio.TimerHandle | None = None
        self._offer = offer
        self._loop = asyncio.get_running_loop()
        self._socket = BackendSocket(self._loop, connected, self._received, self._look, _PIECE)
        self._answered: asyncio.Future[None] | None = None
        self._take: Take | None = None
        self._patience = self._since = 0.0
        self._looked_at = math.inf
        self._watch: asyncio.TimerHandle | None = None

    def tell(self, event: Event, data: bytes, macros: bytes) -> Answer | None:
        """Tell an event -> what comes of it; None = answer() has that.

        data, macros: as of MilterDialogue.tell(). What has no answer is sent with the next thing that has one.
        """
        dialogue = self.dialogue
        dialogue.tell(event, data, macros)
        if dialogue.failure:
            return None
        if len(dialogue.output) > _LITTLE:
            self.send()
            return None if self._socket.is_full else dialogue.answer
        return dialogue.answer

    async def answer(self, seconds: float, take: Take | None = None) -> Answer:
        """Send what the dialogue has for the milter, and wait for the answer, and until there is room for more.

        seconds: for each thing that the milter says. take: gets what it wants to have changed, as that comes.
        A milter that is late has failed, as the dialogue then says. Cancelled, it closes the connection.
        """
        self.send()
        if self.dialogue.answer is None or self._socket.is_full:
            self._take, self._patience, self._since = take, seconds, self._loop.time()
            self._answered = self._loop.create_future()
            if self._since + seconds < self._looked_at:
                self._look_at(self._since + seconds)
            try:
                await self._answered
            except BaseException:
                self.dialogue.fail("was left before its answer")
                self.close()
                raise
            finally:
                self._answered = self._take = None
        if self.dialogue.failure:
            self.close()
        return self.dialogue.answer or Passed.ON

    def send(self) -> None:
        """Send what the dialogue has for the milter."""
        self._socket.send(self.dialogue.take_output())

    def abort(self) -> None:
        """End the message that is under way, if there is one."""
        unsent = len(self.dialogue.output)
        self.dialogue.abort()
        if len(self.dialogue.output) > unsent:
            self.send()

    def anew(self) -> None:
        """Begin with another client, of whom nothing is known yet; what is agreed on stays."""
        self.dialogue = MilterDialogue(self._offer, self.dialogue.agreed)

    def close(self) -> None:
        """End it at once; what is not sent yet is lost."""
        self.is_open = False
        for timer in (self.timer, self._watch):
            if timer:
                timer.cancel()
        self.timer = self._watch = None
        self._socket.close()

    def _received(self, data: bytes) -> None:
        """Take what the milter says. Whoever waits hears of an error of ours, and need not wait in vain."""
        try:
            self._hear(data)
        except Exception as error:
            if self._answered is None or self._answered.done():
                raise
            self._answered.set_exception(error)

    def _hear(self, data: bytes) -> None:
        heard = self.dialogue.heard
        if data:
            self.dialogue.receive(data)
        else:
            self.dialogue.receive_end()
            self.close()
        if self.dialogue.heard > heard:  # a piece of a packet is no sign of life
            self._since = self._loop.time()
            if self._take:
                self._take(self.dialogue.take_changes())
        if self.dialogue.failure and self._answered is None:
            self.close()
        self._look()

    def _look(self) -> None:
        """Let whoever waits go on, if he may."""
        if self._answered is None or self._answered.done() or self.dialogue.answer is None:
            return
        if self.dialogue.failure or not self._socket.is_full:
            self._answered.set_result(None)

    def _look_at(self, second: float) -> None:
        """Have the milter looked at then. One look in vain costs less than a timer for each answer."""
        if self._watch:
            self._watch.cancel()
        self._looked_at, self._watch = second, self._loop.call_at(second, self._look_whether_late)

    def _look_whether_late(self) -> None:
        self._looked_at, self._watch = math.inf, None
        if self._answered is None:
            return
        late = self._since + self._patience
        if late > self._loop.time():
            self._look_at(late)
        else:
            self.dialogue.fail(f"it said nothing for {self._patience:.0f} seconds", is_late=True)
            self._look()
