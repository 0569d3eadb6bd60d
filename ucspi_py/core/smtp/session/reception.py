"""One message's content as it is received: what may pass, and why it must not. Never decides where it ends."""

from ..content import Content
from ..envelope import Envelope
from ..reply import Reply
from ..settings import BareNewline, Greeting, SmtpSettings
from . import replies


class Reception:
    """The content behind one 354. envelope: of its message."""

    __slots__ = ("_content", "_limit", "_raw", "envelope")

    def __init__(self, envelope: Envelope, bare_newline: BareNewline, limit: int) -> None:
        """Begin to receive. bare_newline: what becomes of one. limit: bytes that may pass; 0 = any."""
        self.envelope = envelope
        self._content = Content(bare_newline)
        self._limit = limit
        self._raw = b""

    @property
    def buffered(self) -> int:
        """Bytes that were fed and not yet looked at."""
        return len(self._raw)

    @property
    def size(self) -> int:
        """Bytes of content so far."""
        return self._content.size

    @property
    def ended(self) -> bool:
        """Whether the end of content was read."""
        return self._content.ended

    @property
    def rest(self) -> bytes:
        """What stood behind the end."""
        return self._content.rest

    def feed(self, data: bytes) -> None:
        """Take bytes of the client, in pieces of any size."""
        self._raw = self._raw + data if self._raw else data

    def next(self) -> bytes:
        """Work through what was fed -> what may be passed to the backend; nothing once the message must not pass."""
        if not self._raw:
            return b""
        data, self._raw = self._raw, b""
        passed = self._content.receive(data)
        return b"" if self._is_too_large else passed

    def refusal(self, settings: SmtpSettings, greeting: Greeting) -> Reply | None:
        """The reply to a message that must not pass; None where nothing is wrong with it."""
        if self._content.flawed:
            return replies.bare_lf(settings.bare_newline_reject_code, greeting.myhostname)
        return replies.FILE_TOO_BIG if self._is_too_large else None

    @property
    def _is_too_large(self) -> bool:
        return 0 < self._limit < self._content.size
