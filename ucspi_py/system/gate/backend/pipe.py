"""The backends of one session: started when the first recipient has passed, left when they fail. Never judges."""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Unpack

from ....core.gate.visitor import Visitor, backend_environment
from ....core.smtp.backend.dialogue import BackendDialogue
from ....core.smtp.backend.exchange import UNAVAILABLE
from ....core.smtp.envelope import Envelope
from ....core.smtp.events import DataAsked, Event, HeloGiven, RecipientGiven, SenderGiven, UnknownGiven
from ....core.smtp.path import Path
from ....core.smtp.reply import Reply, reply
from .patience import Patience
from .running import RunningBackend

if TYPE_CHECKING:
    from ..milter.client_milters import ClientMilters

#: Starts a backend: its environment, a descriptor for 0 and 1, what is called with its wait status when it has ended ->
#: its process id, None where it could not be started. May wait for a slot.
Start = Callable[[dict[bytes, bytes], int, Callable[[int], None]], Awaitable[int | None]]
#: What RunningBackend is made of, and whatever makes one of the same.
BackendEnds = tuple[
    asyncio.AbstractEventLoop, socket.socket, BackendDialogue, Callable[[str], None], Callable[[], None]
]
MakeBackend = Callable[[Unpack[BackendEnds]], RunningBackend]

#: What smtpd says of a command that is judged at once, and passes.
PASSES = reply(250, b"Ok")
_TOO_BUSY = reply(451, b"4.3.2 The mail system is too busy, try again later")

#: Seconds that a recipient waits for a slot.
_SLOT_PATIENCE = 30.0
#: Starts that may fail in a session before its client is left.
_STARTS = 3


class BackendPipe:
    """A session's way to its backend; one at a time, a new one where the last is of no use any more.

    start: of a backend. environment: a stranger's; each backend gets what the visitor makes of it, made when it starts,
    as few clients ever have one. report: gets one sentence about each that fails. on_room: to be set; called when
    content may be sent again after is_full. make: may be set; makes a backend's end here. milters: may be set; the
    client's. A coroutine of this that is cancelled closes the backend.
    """

    __slots__ = (
        "_backend",
        "_environment",
        "_failed_starts",
        "_in_a_hurry",
        "_patience",
        "_refusal",
        "_report",
        "_start",
        "_visitor",
        "make",
        "milters",
        "on_room",
    )

    def __init__(
        self, start: Start, environment: Mapping[bytes, bytes], visitor: Visitor, report: Callable[[str], None]
    ) -> None:
        self.on_room: Callable[[], None] = nobody
        self.make: MakeBackend = RunningBackend
        self.milters: ClientMilters | None = None
        self._start = start
        self._environment = environment
        self._visitor = visitor
        self._report = report
        self._backend: RunningBackend | None = None
        self._refusal: Reply | None = None
        self._failed_starts = 0
        self._in_a_hurry = False
        self._patience = Patience()

    @property
    def is_full(self) -> bool:
        """Whether content waits: no more is to be sent until all of it is taken."""
        return self._backend is not None and self._backend.is_full

    async def connect(self) -> tuple[Reply, Reply | None] | None:
        """Judge the client before its banner; None = it passes, else what it is told then, and at each command.

        Where that is None, milters have something against it, and judge its commands.
        """
        return await self.milters.connect() if self.milters else None

    def passes(self, event: HeloGiven | SenderGiven) -> bool:
        """Tell a command to those who only hear of it -> whether it passes, and nobody is to be waited for."""
        return self.milters is None or self.milters.passes(event)

    async def ask(self, event: Event) -> Reply:
        """Answer what hangs on the backend."""
        match event:
            case HeloGiven():
                return (self.milters and await self.milters.helo(event.name, event.verb)) or PASSES
            case SenderGiven():
                return (self.milters and await self.milters.mail(event.envelope)) or PASSES
            case UnknownGiven():
                return (self.milters and await self.milters.unknown(event.name)) or PASSES
            case RecipientGiven():
                return await self.recipient(event.envelope, event.recipient)
            case DataAsked():
                return await self.data()
        raise ValueError("hangs on no backend")

    async def recipient(self, envelope: Envelope, path: Path) -> Reply:
        """Ask the backend whether it accepts a recipient, which has passed all else.

        envelope: the recipient's, as BackendDialogue.recipient() has it.
        """
        if self._refusal:
            return self._refusal
        refusal = await self.milters.recipient(envelope, path) if self.milters else None
        if refusal:
            return refusal
        is_new = not envelope.recipients and not (self._backend and self._backend.dialogue.usable)
        if is_new:
            failed = await self._start_backend()
            if failed:
                return failed
        if self._backend is None:
            return UNAVAILABLE
        dialogue = self._backend.dialogue
        dialogue.recipient(envelope, path)
        answer = await self._backend.answer()
        self._refusal = dialogue.refusal
        return self._start_failed(answer) if is_new and dialogue.failure and not answer.is_positive else answer

    async def data(self) -> Reply:
        """Ask the backend for its 354."""
        if self._backend is None:
            return UNAVAILABLE
        return await self._backend.data()

    def send(self, content: bytes) -> None:
        """Send content behind a 354; thrown away where the backend takes none any more, which end_of_data() tells.

        The last piece waits for flush() or end_of_data().
        """
        if self._backend:
            self._backend.send(content)

    def flush(self) -> None:
        """Send all content now: its end is still to come."""
        if self._backend:
            self._backend.flush()

    async def end_of_data(self, _size: int) -> Reply:
        """Send the final dot; what the backend says of the message. _size: bytes of it, for who judges it."""
        if self._backend is None:
            return UNAVAILABLE
        return await self._backend.end_of_data()

    def becomes(self, visitor: Visitor, environment: Mapping[bytes, bytes]) -> None:
        """Let the client be somebody else from now on; the backend that knows it not is left."""
        self.quit()
        if self.milters:
            self.milters.becomes(visitor)
        self._visitor, self._environment = visitor, environment

    def hurry(self) -> None:
        """Wait for no slot any more; one that is free is still taken."""
        self._in_a_hurry = True
        self._patience.end()

    def reset(self) -> None:
        """Drop the transaction, whatever has become of it."""
        if self.milters:
            self.milters.dropped()
        if self._backend is None:
            return
        if self._backend.takes_content or not self._backend.dialogue.usable:
            self.close()
        else:
            self._backend.dialogue.reset()
            self._backend.tell()

    def rest(self, since: float) -> None:
        """Give the slot of a backend back that has been waiting between two messages. since: monotonic second."""
        backend = self._backend
        if backend and backend.dialogue.is_idle and backend.idle_since <= since:
            self.quit()

    def quit(self) -> None:
        """Say QUIT to the backend, and close it when it has answered, in the background."""
        backend, self._backend = self._backend, None
        if backend:
            try:
                backend.quit()
            except BaseException:
                backend.close()
                raise

    def close(self) -> None:
        """Leave the backend at once; what it has of a message without its final dot is never queued."""
        if self._backend:
            self._backend.close()
            self._backend = None

    def leave(self) -> None:
        """Leave the backend at once, and the milters: the client has left."""
        try:
            self.close()
        finally:
            if self.milters:
                self.milters.end()

    async def _start_backend(self) -> Reply | None:
        """Start a backend; None, or what the client is told where that failed."""
        try:
            ours, theirs = socket.socketpair()
        except OSError:
            return self._start_failed(UNAVAILABLE)
        environment = backend_environment(self._environment, self._visitor)
        dialogue = BackendDialogue(environment.get(b"TCPREMOTEHOST") or b"unknown")
        loop = asyncio.get_running_loop()
        backend = self.make(loop, ours, dialogue, self._report, self._has_room)
        try:
            with theirs, self._patience.until(0.0 if self._in_a_hurry else loop.time() + _SLOT_PATIENCE):
                started = await self._start(environment, theirs.fileno(), backend.ended)
        except TimeoutError:
            backend.close()
            return _TOO_BUSY
        except BaseException:
            backend.close()
            raise
        if started is None:
            backend.close()
            return self._start_failed(UNAVAILABLE)
        self._backend = backend
        return None

    def _start_failed(self, answer: Reply) -> Reply:
        self._failed_starts += 1
        return answer if self._failed_starts < _STARTS else answer._replace(code=421)

    def _has_room(self) -> None:
        if self._backend:
            self.on_room()


def nobody() -> None:
    """Who hears of room until it is said who does, and when nobody sends any more."""
