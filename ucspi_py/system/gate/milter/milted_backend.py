"""A backend that gets a message when milters have let it go on, as they have changed it. Never judges."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple

from ....core.smtp.backend.exchange import UNAVAILABLE
from ....core.smtp.envelope import Envelope
from ....core.smtp.reply import Reply, reply
from ..backend.pipe import BackendEnds
from ..backend.running import RunningBackend
from .hearing import Hearing, Streamed
from .held import HeldMessage

#: smtpd.c, data_cmd().
_GO_ON = reply(354, b"End data with <CR><LF>.<CR><LF>")
#: A message of which milters have left no recipient is taken, and goes nowhere.
_TAKEN = reply(250, b"2.0.0 Ok")
_TOO_LARGE = reply(552, b"5.3.4 The headers of the message are too large")


class MessageMilters(NamedTuple):
    """What milters say of the messages of one session.

    data: asks them at DATA; None = nothing against it. stream: begins with a message behind that, as
    ClientMilters.stream() does; called when more may be sent, and when one of them refuses the message before its end.
    end: has them hear the end of one that they hear while it comes; None = it passes. hear: has them hear one that was
    held, and change it; a Reply is the client's, and the message goes no further; an Envelope is what is told to the
    backend instead of what it has been; None = as it is.
    """

    data: Callable[[], Awaitable[Reply | None]]
    stream: Callable[[Callable[[], None], Callable[[], None]], Streamed]
    end: Callable[[Hearing], Awaitable[Reply | None]]
    hear: Callable[[HeldMessage], Awaitable[Reply | Envelope | None]]


class MiltedBackend(RunningBackend):
    """As RunningBackend, of the same ends; it hears the end of a message that milters let go on.

    A message that they may change is held until then, and the backend hears DATA then. milters: to be set.
    """

    milters: MessageMilters

    def __init__(self, *ends: *BackendEnds) -> None:
        super().__init__(*ends)
        self._on_room = ends[-1]
        self._message: HeldMessage | Hearing | Reply | None = None
        self._lost: OSError | None = None

    @property
    def takes_content(self) -> bool:
        """Whether a message is under way."""
        return self._message is not None or super().takes_content

    @property
    def is_full(self) -> bool:
        """Whether so much content waits, for milters or for the backend, that no more is to be sent."""
        return self._socket.is_full or (isinstance(self._message, Hearing) and self._message.is_full)

    async def data(self) -> Reply:
        """Ask milters, and the backend for its 354 where the message is not held. Cancelled, closes the backend."""
        try:
            refusal = await self.milters.data()
        except BaseException:
            self.close()
            raise
        if refusal:
            return refusal
        self._lost = None
        message = self.milters.stream(self._on_room, self._leave)
        if isinstance(message, Hearing):
            answer = await super().data()
            if answer.code != 354:
                return answer
        self._message = HeldMessage() if message is None else message
        return _GO_ON

    def send(self, content: bytes) -> None:
        """Send content, or hold it; what cannot be held is thrown away, and end_of_data() says so."""
        match self._message:
            case HeldMessage() as message:
                self._hold(message, content)
            case Hearing() as message:
                super().send(content)
                message.feed(content)
            case None:
                super().send(content)

    def prepend(self, headers: Sequence[bytes]) -> None:
        """Send or hold headers of lists. Postfix has them above its Received, and milters count them so."""
        super().prepend(headers)
        if isinstance(self._message, HeldMessage):
            self._message.above = len(headers)

    def flush(self) -> None:
        """Send the piece of content that is held, and have milters hear of it: the end is still to come."""
        super().flush()
        if isinstance(self._message, Hearing):
            self._message.go_on()

    async def end_of_data(self) -> Reply:
        """Have milters hear the message, and tell the backend what they have made of it. Cancelled, closes it."""
        message, self._message = self._message, None
        try:
            match message:
                case HeldMessage():
                    return await self._end_of_held(message)
                case Hearing():
                    return await self._end_of_streamed(message)
                case Reply():
                    return self._dropped(message)
        except BaseException:
            self.close()
            raise
        return await super().end_of_data()

    def close(self) -> None:
        """Close at once. A message without its final dot is none."""
        message, self._message = self._message, None
        if isinstance(message, HeldMessage):
            message.close()
        elif isinstance(message, Hearing):
            message.stop()
        super().close()
        if isinstance(message, Hearing) and message.is_full:
            self._on_room()  # the rest is thrown away, but is to be sent

    def _leave(self) -> None:
        """Close the backend in the midst of a message that is refused; milters may still hear of it."""
        super().close()

    def _hold(self, message: HeldMessage, content: bytes) -> None:
        if self._lost is None:
            try:
                message.feed(content)
            except OSError as failure:
                self._lost = failure

    async def _end_of_streamed(self, message: Hearing) -> Reply:
        if message.is_too_large:
            refusal: Reply | None = _TOO_LARGE
        else:
            refusal = await self.milters.end(message)
        if refusal is None:
            return await super().end_of_data()
        super().close()
        return refusal

    async def _end_of_held(self, message: HeldMessage) -> Reply:
        try:
            return await self._heard(message)
        except OSError as failure:
            self._lost = failure
            self._report(f"a message cannot be held: {failure.strerror}")
            return self._dropped(UNAVAILABLE)
        finally:
            message.close()

    async def _heard(self, message: HeldMessage) -> Reply:
        if self._lost:
            raise self._lost
        if message.is_too_large:
            return self._dropped(_TOO_LARGE)
        message.end()
        found = await self.milters.hear(message)
        if isinstance(found, Reply):
            return self._dropped(found)
        if isinstance(found, Envelope):
            refusal = await self._told_anew(found)
            if refusal:
                return self._dropped(refusal)
        return await self._passed_on(message)

    async def _told_anew(self, envelope: Envelope) -> Reply | None:
        """Tell the backend another envelope; None, or what the client hears where it does not take all of it."""
        if not envelope.recipients:
            return _TAKEN
        self._drop()
        told = envelope._replace(recipients=())
        for path in envelope.recipients:
            self.dialogue.recipient(told, path)
            answer = await self.answer()
            if not answer.is_positive:
                return answer
            told = told._replace(recipients=(*told.recipients, path))
        return None

    async def _passed_on(self, message: HeldMessage) -> Reply:
        answer = await super().data()
        if answer.code != 354:
            return answer
        for piece in message.content():
            super().send(piece)
            if self.is_full:
                await self._all_sent()
            await asyncio.sleep(0)  # others are served between two pieces, also where the backend takes all at once
        return await super().end_of_data()

    def _dropped(self, answer: Reply) -> Reply:
        self._drop()
        return answer

    def _drop(self) -> None:
        """End the backend's transaction; in the midst of content only by leaving it."""
        if self.dialogue.takes_content:
            super().close()
        elif self.dialogue.usable:
            self.dialogue.reset()
            self.tell()


def milted(milters: MessageMilters, *ends: *BackendEnds) -> MiltedBackend:
    """Make a backend behind milters."""
    backend = MiltedBackend(*ends)
    backend.milters = milters
    return backend
