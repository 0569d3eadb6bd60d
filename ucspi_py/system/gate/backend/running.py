"""One backend from its start to its end: its dialogue at its socket, and no wait without a limit. Never starts it."""

import asyncio
import math
import os
import socket
import time
from collections.abc import Callable, Sequence

from ....core.smtp.backend.dialogue import BackendDialogue
from ....core.smtp.reply import Reply
from .backend_socket import BackendSocket

#: Seconds that a backend has to say goodbye in, and to be reaped before its failure is told without its exit code.
_GRACE = 5.0
#: Bytes of content that may be sent together with the final dot; what is larger has gone before it.
_SMALL = 4096


class RunningBackend:
    """A backend at the other end of a socketpair.

    dialogue: is asked; the answer then comes from answer(). connected: our end, which close() closes. report: gets one
    sentence about a backend that fails. on_room: called when content may be sent again. idle_since: the monotonic
    second of its last answer.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        connected: socket.socket,
        dialogue: BackendDialogue,
        report: Callable[[str], None],
        on_room: Callable[[], None],
    ) -> None:
        self.dialogue = dialogue
        self.idle_since = time.monotonic()
        self._loop = loop
        self._socket = BackendSocket(loop, connected, self._receive, on_room)
        self._report = report
        self._answered: asyncio.Future[Reply] | None = None
        self._asked_at = 0.0
        self._held = b""
        self._timer: asyncio.TimerHandle | None = None
        self._looks_at = math.inf
        self._untold: asyncio.TimerHandle | None = None
        self._status: int | None = None
        self._has_hung_up = self._has_quit = self._is_closed = False

    @property
    def is_full(self) -> bool:
        """Whether content waits: no more is to be sent."""
        return self._socket.is_full

    @property
    def takes_content(self) -> bool:
        """Whether content may be sent now. Where it may not, it is thrown away."""
        return self.dialogue.takes_content

    async def data(self) -> Reply:
        """Ask the backend for its 354. Cancelled, it closes the backend."""
        self.dialogue.data()
        return await self.answer()

    async def answer(self) -> Reply:
        """Tell the backend what its dialogue was asked, and wait for the answer. Cancelled, it closes the backend."""
        self.tell()
        try:
            return self.dialogue.answer or await self._wait_for_answer()
        except BaseException:
            self.close()
            raise
        finally:
            self.idle_since = time.monotonic()
            self._look_at_dialogue()

    def tell(self) -> None:
        """Send what the dialogue has to say, behind content that is held."""
        output = self.dialogue.take_output()
        if output or self._held:
            self._socket.send(self._take_held() + output)

    def send(self, content: bytes) -> None:
        """Send content, framed as it is; thrown away where the backend takes none.

        The last piece is held for flush() or end_of_data(): a small message and its end are one write.
        """
        self.flush()
        if self.dialogue.takes_content:
            self._held = content

    def prepend(self, headers: Sequence[bytes]) -> None:
        """Send headers of lists, before any content. headers: framed, without line ends."""
        for header in headers:
            self.send(header + b"\r\n")

    def flush(self) -> None:
        """Send the piece of content that is held."""
        if self._held:
            self._socket.send(self._take_held())
            if self._socket.waits_since is not None:
                self._watch(self._socket.waits_since)

    async def end_of_data(self) -> Reply:
        """Send the final dot behind all content, and wait for the answer. Cancelled, it closes the backend."""
        if len(self._held) > _SMALL or self._socket.is_full:
            await self._all_sent()
        self._socket.read()  # what it has said before the final dot is no reply to it
        self.dialogue.end_of_data()
        return await self.answer()

    def quit(self) -> None:
        """Say goodbye, and close when the backend has ended, in the background; after five seconds in any case.

        Its own goodbye may be written, and is not read.
        """
        self.dialogue.quit()
        goodbye = self.dialogue.take_output()
        if goodbye and self._status is None:
            self._socket.send(goodbye)
            self._socket.finish()
            self._has_quit = True
            self._set_timer(time.monotonic() + _GRACE, self.close)
        else:
            self.close()

    def close(self) -> None:
        """Close at once. A message without its final dot is none."""
        if self._is_closed:
            return
        self._stop_timer()
        self.dialogue.leave()
        self._socket.close()
        self._is_closed = True
        if self.dialogue.failure:
            if self._has_hung_up and self._status is None:
                self._untold = self._loop.call_later(_GRACE, self._tell_failure)
            else:
                self._tell_failure()

    def ended(self, wait_status: int) -> None:
        """Take the process's end. What it has said before is still read. wait_status: as waitpid(2) has it."""
        self._status = wait_status
        if self._has_quit:
            self.close()
        if self._untold:
            self._untold.cancel()
            self._tell_failure()

    async def _all_sent(self) -> None:
        """Have the backend take all content. Cancelled, it closes the backend."""
        self.flush()
        try:
            await self._socket.emptied()
        except BaseException:
            self.close()
            raise

    def _take_held(self) -> bytes:
        held, self._held = self._held, b""
        return held

    async def _wait_for_answer(self) -> Reply:
        self._answered = self._loop.create_future()
        self._asked_at = time.monotonic()
        self._watch(self._asked_at)
        try:
            return await self._answered
        finally:
            self._answered = None

    def _receive(self, data: bytes) -> None:
        """Take what it says. Whoever waits for an answer hears of an error of ours, and need not wait in vain."""
        try:
            self._hear(data)
        except Exception as error:
            self.close()
            if self._answered is None or self._answered.done():
                raise
            self._answered.set_exception(error)

    def _hear(self, data: bytes) -> None:
        replies = self.dialogue.exchange.replies
        if data:
            self.dialogue.receive(data)
        else:
            self._has_hung_up = True
            self.dialogue.receive_end()
        self.tell()
        if self._answered and self.dialogue.exchange.replies > replies:
            self._asked_at = time.monotonic()
            self._watch(self._asked_at)
        self._look_at_dialogue()

    def _look_at_dialogue(self) -> None:
        """Hand an answer over, and leave a backend that is of no use any more."""
        answer = self.dialogue.answer
        if answer and self._answered and not self._answered.done():
            self._answered.set_result(answer)
        if not self.dialogue.usable:
            self.close()

    def _watch(self, since: float) -> None:
        """Have the backend looked at when its patience is over. One look in vain costs less than a timer each time.

        since: second from which it is waited for.
        """
        late = since + self.dialogue.exchange.patience
        if late < self._looks_at:
            self._set_timer(late, self._look)

    def _look(self) -> None:
        """Give the backend up if it has not replied, or not read a byte of what waits for it, for so long."""
        self._stop_timer()
        since = self._asked_at if self._answered else self._socket.waits_since
        if since is None:
            return
        late = since + self.dialogue.exchange.patience
        if late > time.monotonic():
            self._set_timer(late, self._look)
        else:
            self.dialogue.expire()
            self._look_at_dialogue()

    def _set_timer(self, second: float, call: Callable[[], None]) -> None:
        self._stop_timer()
        self._looks_at, self._timer = second, self._loop.call_at(second, call)

    def _stop_timer(self) -> None:
        if self._timer:
            self._timer.cancel()
            self._looks_at, self._timer = math.inf, None

    def _tell_failure(self) -> None:
        self._untold = None
        self._report(f"the backend {self.dialogue.failure}{_end_of(self._status) if self._has_hung_up else ''}")


def _end_of(status: int | None) -> str:
    if status is None:
        return ""
    code = os.waitstatus_to_exitcode(status)
    return f" (exit code {code})" if code >= 0 else f" (signal {-code})"
