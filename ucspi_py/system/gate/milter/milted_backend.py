"""A backend that gets a message when milters have let it go on, as they have changed it. Never judges."""

from collections.abc import Awaitable, Callable
from typing import NamedTuple

from ....core.smtp.backend.exchange import UNAVAILABLE
from ....core.smtp.envelope import Envelope
from ....core.smtp.reply import Reply, reply
from ..backend.pipe import BackendEnds
from ..backend.running import RunningBackend
from .held import HeldMessage

#: smtpd.c, data_cmd().
_GO_ON = reply(354, b"End data with <CR><LF>.<CR><LF>")
#: A message of which milters have left no recipient is taken, and goes nowhere.
_TAKEN = reply(250, b"2.0.0 Ok")
_TOO_LARGE = reply(552, b"5.3.4 The headers of the message are too large")


class MessageMilters(NamedTuple):
    """What milters say of the messages of one session.

    data: asks them at DATA; None = nothing against it. hear: has them hear a message, and change it; a Reply is the
    client's, and the message goes no further; an Envelope is what is told to the backend instead of what it has been;
    None = as it is.
    """

    data: Callable[[], Awaitable[Reply | None]]
    hear: Callable[[HeldMessage], Awaitable[Reply | Envelope | None]]


class MiltedBackend(RunningBackend):
    """As RunningBackend, of the same ends; a message is held until its end, and the backend hears DATA then.

    milters: to be set.
    """

    milters: MessageMilters

    def __init__(self, *ends: *BackendEnds) -> None:
        super().__init__(*ends)
        self._message: HeldMessage | None = None
        self._lost: OSError | None = None

    @property
    def takes_content(self) -> bool:
        """Whether a message is under way."""
        return self._message is not None or super().takes_content

    async def data(self) -> Reply:
        """Ask milters; the message is held from now on. Cancelled, closes the backend."""
        try:
            refusal = await self.milters.data()
        except BaseException:
            self.close()
            raise
        if refusal:
            return refusal
        self._message, self._lost = HeldMessage(), None
        return _GO_ON

    def send(self, content: bytes) -> None:
        """Hold content; what cannot be held is thrown away, and end_of_data() says so."""
        if self._message is None:
            super().send(content)
        elif not self._lost:
            try:
                self._message.feed(content)
            except OSError as failure:
                self._lost = failure

    async def end_of_data(self) -> Reply:
        """Have milters hear the message, and tell the backend what they have made of it. Cancelled, closes it."""
        message, self._message = self._message, None
        if message is None:
            return await super().end_of_data()
        try:
            return await self._heard(message)
        except OSError as failure:
            self._lost = failure
            self._report(f"a message cannot be held: {failure.strerror}")
            return self._dropped(UNAVAILABLE)
        except BaseException:
            self.close()
            raise
        finally:
            message.close()

    def close(self) -> None:
        """Close at once. A message without its final dot is none."""
        message, self._message = self._message, None
        if message:
            message.close()
        super().close()

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
        return await super().end_of_data()

    def _dropped(self, answer: Reply) -> Reply:
        self._drop()
        return answer

    def _drop(self) -> None:
        """End the backend's transaction."""
        if self.dialogue.usable:
            self.dialogue.reset()
            self.tell()


def milted(milters: MessageMilters, *ends: *BackendEnds) -> MiltedBackend:
    """Make a backend behind milters."""
    backend = MiltedBackend(*ends)
    backend.milters = milters
    return backend
