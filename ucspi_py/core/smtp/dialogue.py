"""The SMTP dialogue of one session, sans-IO: client bytes -> replies and events (RFC 5321). Never judges whom."""

from . import events
from .command import parse
from .line import Flawed
from .reply import Reply
from .session import replies
from .session.flaws import mend, stranger
from .session.outcome import Begun, Outcome, Said, answered
from .session.speech import UNKNOWN
from .session.trust import Trust
from .session.verbs import VERBS, Verb, carried_out
from .settings import NOTHING, Greeting, Offers, SmtpSettings


class Dialogue(Trust):
    """One session's dialogue: feed it what the client sends, carry out its events, send what it says."""

    __slots__ = ("_dropped", "_half_closed")

    def __init__(
        self,
        settings: SmtpSettings,
        greeting: Greeting,
        *,
        excepted: bool,
        judges_early: bool = False,
        offers: Offers = NOTHING,
    ) -> None:
        """Begin a session.

        excepted: bare newlines are normalized, and what comes before its time is taken. judges_early: HELO, EHLO and
        MAIL are events, too. offers: beside plain SMTP.
        """
        super().__init__(settings, greeting, excepted=excepted, judges_early=judges_early)
        self._state.offer(offers)
        self._dropped: events.TransactionDropped | None = None
        self._half_closed = False

    def receive(self, data: bytes) -> None:
        """Take what the client has sent, in pieces of any size."""
        if self.end:
            return
        if self._reception is not None:
            self._reception.feed(data)
        else:
            self._reader.feed(data)

    def receive_end(self) -> None:
        """Take the end of what the client sends: whole lines that came before it are still carried out."""
        self._half_closed = True

    def next(self) -> events.Event | None:
        """Work through what came -> the next event; None = nothing more, until something comes or is answered."""
        while self._asked is None and not self._output.is_paused:
            if self._dropped is not None:
                dropped, self._dropped = self._dropped, None
                return dropped
            if self._output.held:
                return self._pause()
            if self.end:
                break
            if self._counters.errors >= self._state.settings.hard_error_limit:
                self._leave(replies.too_many_errors(self._state.greeting.myhostname), b"too many errors")
                continue
            if self._reception is not None:
                return self._next_of_content(self._reception, half_closed=self._half_closed)
            line = self._reader.next()
            if line is None:
                if (self._half_closed or self._reader.has_more) and self._is_left():
                    continue
                break
            event = self._carry_out(line) if self._exchange is None else self._respond(self._exchange, line)
            if event is not None:
                return event
        return None

    def go_on(self, asked: events.HeloGiven | events.SenderGiven) -> None:
        """Carry out the event that waits, against which nobody has anything; it has its own reply."""
        self._asked = None
        self._end_early(asked, carried_out(self._state, asked))

    def answer(self, reply: Reply, login: bytes = b"") -> None:
        """Answer the event that waits; what hangs up ends the session behind it. login: whose a LoginAsked is."""
        asked, self._asked = self._asked, None
        said = answered(reply)
        if isinstance(asked, events.RecipientGiven):
            if said.accepted:
                self._state.take(asked.envelope, asked.recipient)
            self._settle(b"RCPT", said)
        elif isinstance(asked, events.MessageEnded):
            self._end_message(said)
        elif isinstance(asked, events.DataAsked) and reply.code == 354:
            self._say(said.reply)
            self._begin_content(asked.envelope)
        elif isinstance(asked, events.DataAsked):
            self._settle(b"DATA", self._without_content(said))
        elif isinstance(asked, events.HeloGiven | events.SenderGiven):
            self._end_early(asked, carried_out(self._state, asked) if said.accepted else said)
        elif isinstance(asked, events.UnknownGiven):
            self._settle(UNKNOWN, replies.NOT_RECOGNIZED if said.accepted else said)
        elif isinstance(asked, events.LoginAsked):
            self._end_login(asked, said, login)
        elif asked is not None:
            self._begin_tls(asked, said)

    def _is_left(self) -> bool:
        """Whether no line will ever come: the session is over then."""
        if self._reader.foreign:
            self._reject(replies.FOREIGN, self._reader.take_rest())
        elif self._half_closed:
            self.end = b"lost connection"
        return bool(self.end)

    def _carry_out(self, line: bytes | Flawed) -> events.Event | None:
        """Carry out a line -> the event that it makes."""
        if not isinstance(line, bytes):
            mended = mend(line, self._state.settings, self._state.greeting, self._bare_newline)
            if isinstance(mended, Said):
                self._reject(mended, line.line)
                return None
            line = mended
        name, argument = parse(line)
        verb = VERBS.get(name)
        if verb is None or (verb.is_unknown and self._state.lasting):
            return self._wonder(name, line)
        self.last_verb = name
        self._counters.begin(name)
        if self._denial is not None and name != b"QUIT":
            self._settle(name, self._denial)
            return None
        if (verb.is_last or not self._state.esmtp) and self._reader.has_more:
            self.ill_pipelining = True
            if self._is_strict:
                self._leave_early(b"improper pipelining")
                return None
        if self._state.waits_for_tls and not verb.before_tls:
            self._settle(name, replies.TLS_FIRST)
            return None
        return self._conclude(name, verb, verb.carry_out(self._state, argument))

    def _wonder(self, name: bytes, line: bytes) -> events.Event | None:
        """Refuse a command that is none, or ask filters first -> the event that this makes."""
        said = stranger(name)
        if said is not replies.NOT_RECOGNIZED or self._denial or self._state.lasting is None:
            self._reject(said if said.end else self._denial or said, line)
            return None
        self.last_verb = UNKNOWN
        self._counters.begin(UNKNOWN)
        self._asked = events.UnknownGiven(line.split(None, 1)[0])
        return self._asked

    def _conclude(self, name: bytes, verb: Verb, outcome: Outcome) -> events.Event | None:
        """Answer a command, or ask for its answer -> the event that it makes."""
        if isinstance(outcome, Said):
            self._settle(name, self._without_content(outcome) if name == b"DATA" else outcome)
            if verb.is_junk:
                self._counters.count_junk(self._state.settings.junk_command_limit)
            return outcome.dropped
        if isinstance(outcome, Begun):
            return self._go_on(outcome.exchange, outcome.exchange.begin(outcome.initial))
        if isinstance(outcome, events.ExchangeFailed):
            return self._fail_login(outcome)
        self._asked = outcome
        return outcome

    def _end_early(self, asked: events.HeloGiven | events.SenderGiven, said: Said) -> None:
        """Settle a command that was judged before it was carried out."""
        name = asked.verb if isinstance(asked, events.HeloGiven) else b"MAIL"
        self._settle(name, said)
        self._dropped = said.dropped
        if VERBS[name].is_junk:
            self._counters.count_junk(self._state.settings.junk_command_limit)
