"""What a session's dialogue knows: for its log, and for whoever serves it. Carries nothing out."""

from ..envelope import Envelope
from ..events import Asked, MessageEnded
from ..line import CommandReader
from ..settings import Greeting, SmtpSettings
from .counters import Counters
from .output import Output
from .reception import Reception
from .state import Lasting, Login, State, Throttle


class Facts:
    """One session's facts.

    last_verb: the last command, in capitals: CONNECT before the first, UNKNOWN of what is none, END-OF-MESSAGE behind
    content. end: why the session is over; b"" = it is not. excess: first bytes of what came too early or is of another
    protocol. ill_pipelining: the client did not wait where it must, and was let.
    """

    __slots__ = (
        "_asked",
        "_counters",
        "_output",
        "_reader",
        "_reception",
        "_state",
        "end",
        "excess",
        "ill_pipelining",
        "last_verb",
    )

    def __init__(self, settings: SmtpSettings, greeting: Greeting, *, judges_early: bool = False) -> None:
        self._state = State(settings, greeting, judges_early=judges_early)
        self._counters = Counters()
        self._reader = CommandReader(settings.line_length_limit)
        self._output = Output()
        self._asked: Asked | MessageEnded | None = None
        self._reception: Reception | None = None
        self.last_verb = b"CONNECT"
        self.end = self.excess = b""
        self.ill_pipelining = False

    def throttled(self, throttle: Throttle) -> None:
        """Ask from now on whether the client may say MAIL, RCPT and AUTH once more (smtpd.c, mail_cmd and rcpt_cmd)."""
        self._state.throttle = throttle

    def filtered(self, lasting: Lasting) -> None:
        """Have filters hear of commands that are none, and what they have against the client hold at each."""
        self._state.lasting = lasting

    @property
    def throttle(self) -> Throttle | None:
        """Whoever is asked; None = the client may say as many as it likes."""
        return self._state.throttle

    @property
    def within_tls(self) -> bool:
        """Whether the client speaks TLS."""
        return self._state.secured

    @property
    def login(self) -> Login | None:
        """Whom the client has proved to be; None = nobody."""
        return self._state.login

    @property
    def helo(self) -> bytes:
        """The client's name, safe to be told; b"" = it has said none."""
        return self._state.helo

    @property
    def esmtp(self) -> bool:
        """Whether the client has said EHLO."""
        return self._state.esmtp

    @property
    def envelope(self) -> Envelope | None:
        """The transaction's envelope; None = there is none."""
        return self._state.envelope

    @property
    def counts(self) -> dict[bytes, list[int]]:
        """Commands by verb: how many were accepted, and all."""
        return self._counters.verbs

    @property
    def finished(self) -> bool:
        """Whether the connection is to be closed, once the output is sent."""
        return bool(self.end) and not self._output.held

    @property
    def in_content(self) -> bool:
        """Whether what comes is content; it stays so where the client was lost in it."""
        return self._reception is not None

    @property
    def content_size(self) -> int:
        """Bytes of content so far; 0 outside of it."""
        return 0 if self._reception is None else self._reception.size

    @property
    def idle(self) -> bool:
        """Whether no recipient was accepted in this transaction."""
        return not self._state.has_recipient

    @property
    def waits(self) -> bool:
        """Whether an event waits for its answer."""
        return self._asked is not None

    @property
    def buffered(self) -> int:
        """Bytes that were read ahead."""
        return self._reader.buffered + (0 if self._reception is None else self._reception.buffered)
