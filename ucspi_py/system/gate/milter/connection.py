"""One connection to a milter: a dialogue at its socket, no wait without a limit. Never opened again when it is lost."""

import asyncio
import math
import socket
import time
from collections.abc import Callable, Sequence

from ....core.milter.changes import Change
from ....core.milter.dialogue import Answer, MilterDialogue, Passed
from ....core.milter.negotiation import Offer
from ....core.milter.words import Event
from ...stream.stream import Deadlines
from ..backend.backend_socket import BackendSocket

#: Bytes of a milter's that are read at once: another body comes in packets of 64 KB.
_PIECE = 64 * 1024
#: Bytes that wait for something to which the milter has an answer: each packet that is sent wakes it.
_LITTLE = 4096

Take = Callable[[list[Change]], None]


class OpenConnections:
    """The open connections to a milter, with one timer for all of them."""

    def __init__(self) -> None:
        self._connections: set[MilterConnection] = set()
        self._deadlines = Deadlines(self._connections)

    def add(self, connection: "MilterConnection", loop: asyncio.AbstractEventLoop) -> None:
        """Have one ended when its deadline is over. loop: its own."""
        self._connections.add(connection)
        self._deadlines.ask(loop)

    def remove(self, connection: "MilterConnection") -> None:
        """Look at one no more."""
        self._connections.discard(connection)


class MilterConnection:
    """A connection. offer: what the milter is offered. connected: to the milter; close() closes it. among: the others.

    dialogue: with the milter. deadline: monotonic second from which end() is called.
    """

    def __init__(self, offer: Offer, connected: socket.socket, among: OpenConnections) -> None:
        self.dialogue = MilterDialogue(offer)
        self.is_open = True
        self.deadline = math.inf
        self._offer = offer
        self._among = among
        self._loop = asyncio.get_running_loop()
        self._socket = BackendSocket(self._loop, connected, self._received, self._look, _PIECE)
        self._answered: asyncio.Future[None] | None = None
        self._take: Take | None = None
        self._patience = 0.0
        among.add(self, self._loop)

    def tell(self, event: Event, data: bytes, macros: bytes, more: Sequence[bytes] = ()) -> Answer | None:
        """Tell an event -> what comes of it; None = answer() has that.

        data, macros, more: as of MilterDialogue.tell(). What has no answer is sent with the next thing that has one.
        """
        dialogue = self.dialogue
        dialogue.tell(event, data, macros, more)
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
            self._take, self._patience, self.deadline = take, seconds, time.monotonic() + seconds
            self._answered = self._loop.create_future()
            try:
                await self._answered
            except BaseException:
                self.dialogue.fail("was left before its answer")
                self.close()
                raise
            finally:
                self._answered = self._take = None
                self.deadline = math.inf
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

    def keep(self, seconds: float) -> None:
        """Keep it for another client. seconds: for so long."""
        self.deadline = time.monotonic() + seconds

    def anew(self) -> None:
        """Begin with another client, of whom nothing is known yet; what is agreed on stays."""
        self.deadline = math.inf
        self.dialogue = MilterDialogue(self._offer, self.dialogue.agreed)

    def close(self) -> None:
        """End it at once; what is not sent yet is lost."""
        self.is_open = False
        self._among.remove(self)
        self._socket.close()

    def end(self) -> None:
        """Give up a milter that is late, or close what was kept for nobody."""
        if self._answered is None:
            self.close()
            return
        self.dialogue.fail(f"it said nothing for {self._patience:.0f} seconds", is_late=True)
        self._look()

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
            self.deadline = time.monotonic() + self._patience
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
