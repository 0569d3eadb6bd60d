"""The SMTP dialogue of one session, sans-IO: client bytes -> replies and events (RFC 5321). Never judges whom."""

from . import events
from .command import parse
from .envelope import Envelope
from .line import Flawed
from .reply import Reply, softened
from .session import replies
from .session.facts import Facts
from .session.flaws import mend, stranger
from .session.outcome import Outcome, Said, answered
from .session.reception import Reception
from .session.verbs import VERBS, Verb, carried_out
from .settings import BareNewline, Greeting, SmtpSettings

#: Bytes of what was sent too early that are kept for the log (smtpd.c, smtpd_flag_ill_pipelining).
_EXCESS_LIMIT = 100
_UNKNOWN = b"UNKNOWN"


class Dialogue(Facts):
    """One session's dialogue: feed it what the client sends, carry out its events, send what it says."""

    __slots__ = ("_bare_newline", "_denial", "_dropped", "_half_closed", "_is_strict")

    def __init__(
        self, settings: SmtpSettings, greeting: Greeting, *, excepted: bool, judges_early: bool = False
    ) -> None:
        """Begin a session.

        excepted: bare newlines are normalized, and what comes before its time is taken. judges_early: HELO, EHLO and
        MAIL are events, too.
        """
        super().__init__(settings, greeting, judges_early=judges_early)
        self._denial: Said | None = None
        self._dropped: events.TransactionDropped | None = None
        asked = settings.forbid_bare_newline
        self._bare_newline = BareNewline.NORMALIZE if excepted and asked is BareNewline.REJECT else asked
        self._is_strict = settings.forbid_unauth_pipelining and not excepted
        self._half_closed = False

    def greet(self, waiting: bytes = b"") -> None:
        """Say the banner. waiting: what the client has sent before it, which is forbidden to most."""
        self._reader.feed(waiting)
        if waiting and self._is_strict:
            self._leave_early(b"early talker")
        else:
            self._output.say(Reply(220, (self._state.greeting.banner,)).wire, slowly=False)

    def deny(self, refusal: Reply, later: Reply) -> None:
        """Refuse the client instead of greeting it. later: what each of its commands but QUIT is told."""
        self._output.say(refusal.wire, slowly=False)
        self._counters.errors += 1
        self._denial = answered(later)
        self.end = answered(refusal).end

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
                self._output.is_paused = True
                return events.Paused(self._state.settings.error_sleep_time)
            if self.end:
                break
            if self._counters.errors >= self._state.settings.hard_error_limit:
                self._leave(replies.too_many_errors(self._state.greeting.myhostname), b"too many errors")
                continue
            if self._reception is not None:
                return self._next_of_content(self._reception)
            line = self._reader.next()
            if line is None:
                if (self._half_closed or self._reader.has_more) and self._is_left():
                    continue
                break
            event = self._carry_out(line)
            if event is not None:
                return event
        return None

    def answer(self, reply: Reply) -> None:
        """Answer the event that waits; what hangs up ends the session behind it."""
        asked, self._asked = self._asked, None
        said = answered(reply)
        if isinstance(asked, events.RecipientGiven):
            if said.accepted:
                self._state.take(asked.envelope, asked.recipient)
            self._settle(b"RCPT", said)
        elif isinstance(asked, events.MessageEnded):
            self._end_message(said)
        elif isinstance(asked, events.HeloGiven | events.SenderGiven):
            self._end_early(asked, said)
        elif asked is not None and reply.code == 354:
            self._say(said.reply)
            self._begin_content(asked.envelope)
        elif asked is not None:
            self._settle(b"DATA", self._without_content(said))

    def resume(self) -> None:
        """Go on after Paused."""
        self._output.resume()

    def take_output(self) -> bytes:
        """Take the replies since the last call, in order."""
        return self._output.take()

    def close(self, reply: Reply | None, end: bytes = b"closed") -> None:
        """End the session from outside. reply: the last one; no pause is waited for. end: why."""
        self._output.resume()
        self._asked = None
        if not self.end:
            self._output.say(b"" if reply is None else reply.wire, slowly=False)
            self.end = end

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
        if verb is None:
            said = stranger(name)
            self._reject(said if said.end else self._denial or said, line)
            return None
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
        return self._conclude(name, verb, verb.carry_out(self._state, argument))

    def _conclude(self, name: bytes, verb: Verb, outcome: Outcome) -> events.Event | None:
        """Answer a command, or ask for its answer -> the event that it makes."""
        if not isinstance(outcome, Said):
            self._asked = outcome
            return outcome
        self._settle(name, self._without_content(outcome) if name == b"DATA" else outcome)
        if verb.is_junk:
            self._counters.count_junk(self._state.settings.junk_command_limit)
        return outcome.dropped

    def _end_early(self, asked: events.HeloGiven | events.SenderGiven, said: Said) -> None:
        """Settle a command that was judged before it was carried out."""
        name = asked.verb if isinstance(asked, events.HeloGiven) else b"MAIL"
        if said.accepted:
            said = carried_out(self._state, asked)
        self._settle(name, said)
        self._dropped = said.dropped
        if VERBS[name].is_junk:
            self._counters.count_junk(self._state.settings.junk_command_limit)

    def _reject(self, said: Said, line: bytes) -> None:
        """Answer a line that is no command, or leave a client that speaks another protocol."""
        if said.end:
            self.excess = line[:_EXCESS_LIMIT]
        else:
            self.last_verb = _UNKNOWN
        self._counters.begin(_UNKNOWN)
        self._settle(_UNKNOWN, said)

    def _begin_content(self, envelope: Envelope) -> None:
        self._reception = Reception(envelope, self._bare_newline, self._state.greeting.content_limit)
        self._reception.feed(self._reader.take_rest())

    def _next_of_content(self, reception: Reception) -> events.Event | None:
        piece = reception.next()
        if piece:
            return events.ContentGiven(piece)
        if not reception.ended:
            self.end = b"lost connection" if self._half_closed else b""
            return None
        self._reception = None
        self._reader.feed(reception.rest)
        self.last_verb = b"END-OF-MESSAGE"
        return self._judge_message(reception)

    def _judge_message(self, reception: Reception) -> events.Event | None:
        envelope, size = reception.envelope, reception.size
        refusal = reception.refusal(self._state.settings, self._state.greeting)
        if refusal is None:
            self._asked = events.MessageEnded(envelope, size)
            return self._asked
        self._end_message(answered(refusal))
        return events.MessageRefused(envelope, refusal, size)

    def _end_message(self, said: Said) -> None:
        """Settle DATA by what became of its message."""
        self._state.reset()
        if said.accepted:
            self._counters.forgive()
        self._settle(b"DATA", said)

    def _without_content(self, said: Said) -> Said:
        """DATA that is refused: what was sent behind it is content, of which no byte may be taken for a command."""
        if said.end or not self._reader.has_more:
            return said
        self.excess = self._reader.take_rest()[:_EXCESS_LIMIT]
        return said._replace(reply=said.reply + replies.OUT_OF_SYNC, end=b"improper pipelining")

    def _leave_early(self, end: bytes) -> None:
        """Leave a client that sends before it may."""
        self.excess = self._reader.take_rest()[:_EXCESS_LIMIT]
        self._leave(replies.OUT_OF_SYNC, end)

    def _leave(self, reply: bytes, end: bytes) -> None:
        self._say(reply)
        self.end = end

    def _settle(self, verb: bytes, said: Said) -> None:
        """Say what a command is answered, and count it."""
        self._say(said.reply)
        self._counters.settle(verb, said.accepted)
        self.end = said.end

    def _say(self, reply: bytes) -> None:
        if self._state.settings.soft_bounce and reply.startswith(b"5"):
            reply = softened(reply)
        self._output.say(reply, slowly=self._counters.slows(self._state.settings))
