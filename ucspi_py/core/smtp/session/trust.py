"""A session's way to trust: SASL exchanges line by line, and TLS that begins (RFC 4954, 4; RFC 3207, 4)."""

from ...auth.credentials import Credentials
from ...auth.sasl import Challenge, Exchange, Fault, Step
from .. import events
from ..line import Flaw, Flawed
from ..reply import Reply
from ..settings import BareNewline, Greeting, SmtpSettings
from . import replies
from .message import Message
from .outcome import Said
from .state import Login


class Trust(Message):
    """The part of a dialogue by which its client becomes trusted."""

    __slots__ = ("_exchange",)

    def __init__(self, settings: SmtpSettings, greeting: Greeting, *, excepted: bool, judges_early: bool) -> None:
        super().__init__(settings, greeting, excepted=excepted, judges_early=judges_early)
        self._exchange: Exchange | None = None

    def secured(self) -> None:
        """Go on within TLS, behind TlsAsked that was answered with 220. What came before it is nobody's word."""
        self._asked = None
        self._reader.take_rest()
        self._state.secure()

    def _go_on(self, exchange: Exchange, step: Step) -> events.Event | None:
        """Ask for the next response, or end the exchange -> the event that it makes."""
        if isinstance(step, Challenge):
            self._exchange, self._reader.limit = exchange, self._state.offers.response_limit
            self._say(Reply(334, (step.text,)).wire)
            return None
        self._exchange, self._reader.limit = None, self._state.settings.line_length_limit
        if isinstance(step, Credentials):
            self._asked = events.LoginAsked(step)
            return self._asked
        return self._fail_login(events.ExchangeFailed(exchange.mechanism, step))

    def _fail_login(self, failed: events.ExchangeFailed) -> events.Event:
        self._settle(b"AUTH", replies.NO_LOGIN[failed.why])
        return failed

    def _respond(self, exchange: Exchange, line: bytes | Flawed) -> events.Event | None:
        """Take a response. Lines end in CRLF here, too."""
        if isinstance(line, bytes):
            return self._go_on(exchange, exchange.respond(line))
        if line.why is Flaw.TOO_LONG:
            return self._go_on(exchange, Fault.TOO_LONG)
        if line.why is Flaw.BARE_LF and self._bare_newline is not BareNewline.REJECT:
            return self._go_on(exchange, exchange.respond(line.line))
        return self._go_on(exchange, Fault.NOT_BASE64)

    def _begin_tls(self, asked: events.TlsAsked, said: Said) -> None:
        """Settle STARTTLS; behind 220 the event waits on, for secured()."""
        if not said.accepted:
            self._settle(b"STARTTLS", said)
        elif self._reader.has_more:
            # CVE-2011-0411: what came in the clear would be obeyed as if it had come within TLS.
            self._leave_early(b"improper pipelining")
        else:
            self._asked = asked
            self._counters.settle(b"STARTTLS", True)
            self._output.say(said.reply, slowly=False)

    def _end_login(self, asked: events.LoginAsked, said: Said, login: bytes) -> None:
        """Settle AUTH by what became of its credentials."""
        if said.accepted:
            self._state.login = Login(login, asked.credentials.mechanism)
        self._settle(b"AUTH", said)
