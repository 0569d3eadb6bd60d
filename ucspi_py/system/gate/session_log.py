"""The log of one session at the gate: what was refused, what was taken, how it ended. Never decides."""

import os
import time
from typing import TYPE_CHECKING

from ...core.gate import loglines, relay
from ...core.gate.logins import loglines as login_loglines
from ...core.gate.loglines import About, Course
from ...core.gate.restrictions.judgement import LogLine
from ...core.gate.visitor import UNKNOWN, Visitor
from ...core.smtp.dialogue import Dialogue
from ...core.smtp.envelope import Envelope
from ...core.smtp.events import (
    DataAsked,
    Event,
    ExchangeFailed,
    HeloGiven,
    LoginAsked,
    MessageEnded,
    RecipientGiven,
    SenderGiven,
    TlsAsked,
)
from ...core.smtp.path import Path
from ...core.smtp.reply import Reply
from ...core.top.visitor import State
from ...core.top.watch import UNWATCHED, Watch
from ..report.log import Log

if TYPE_CHECKING:
    from ...core.gate.content.checked import Note
    from ...core.greylist.attempt import Verdict

#: Whose verdict $RBLSMTPD is.
_TOLD_BY_ENVIRONMENT = b"rblsmtpd"
_STATES = {
    HeloGiven: State.HELO,
    SenderGiven: State.MAIL,
    RecipientGiven: State.RCPT,
    DataAsked: State.DATA,
    MessageEnded: State.MESSAGE,
}


class SessionLog:
    """Logs one client's session, in the words that it hears.

    screen: the name of the screen that has something against it. softens: whatever is refused is refused for now
    (soft_bounce). dry_run: what a screen has against it is no refusal. watch: may be set; hears what the client is at.
    """

    __slots__ = (
        "_asked_at",
        "_begun",
        "_delay",
        "_filtered",
        "_has_line",
        "_log",
        "_restriction",
        "_screen",
        "_softens",
        "_spared",
        "_untold",
        "_visitor",
        "watch",
    )

    def __init__(
        self, log: Log, visitor: Visitor, screen: bytes, *, softens: bool = False, dry_run: bool = False
    ) -> None:
        self._log = log
        self.watch: Watch = UNWATCHED
        self._softens = softens
        self._visitor = visitor
        self._screen = screen or _TOLD_BY_ENVIRONMENT
        self._begun: Envelope | None = None
        self._asked_at = self._delay = 0.0
        self._restriction: str | None = None
        self._has_line = False
        self._spared: Path | None = None
        self._filtered: Reply | None = None
        #: Said once for each client, as the screen alone would: log parsers count these lines.
        refusal = None if visitor.relays or dry_run else visitor.refusal
        self._untold = None if refusal is None else self._heard(relay.spoken(refusal))

    @property
    def visitor(self) -> Visitor:
        """The client as lines call it."""
        return self._visitor

    def say(self, line: bytes) -> None:
        """Log a line about the client that another one has made."""
        self._log.say(line)

    def named(self, name: bytes) -> None:
        """Call the client by this name from now on."""
        self._visitor = self._visitor._replace(name=name)
        self.watch.known(None if name == UNKNOWN else name)

    def becomes(self, visitor: Visitor) -> None:
        """Call the client this from now on, but for its name. Of one who may relay no screen says anything."""
        self._visitor = visitor._replace(name=self._visitor.name)
        self.watch.logged_in(visitor.login or b"")
        if visitor.is_trusted:
            self._untold = None

    def tls_failed(self, reason: str) -> None:
        """Log why no TLS can be spoken with the client: the session ends by it."""
        self._has_line = True
        self._log.say(login_loglines.tls_failed(self._visitor, reason))

    def exchange_failed(self, event: ExchangeFailed) -> None:
        """Log an AUTH that came to no credentials."""
        self._log.say(login_loglines.exchange_failed(self._visitor, event))

    def warn(self, sentence: str) -> None:
        """Log something that is wrong on our side."""
        self._log.warn(loglines.warning(sentence, self._visitor))

    def denied(self, reply: Reply) -> None:
        """Log a client that was refused before its banner."""
        if self._filtered is None:
            self._log.say(loglines.rejected(b"CONNECT", self._visitor, self._heard(reply), None))

    def filtered(self, stage: bytes, reply: Reply | None, about: About, recipient: Path | None) -> None:
        """Log what a milter refuses, or throws away. stage: a verb, or ``END-OF-MESSAGE``. reply: None = thrown away.

        recipient: None where none is meant alone.
        """
        self._filtered = reply
        self._log.say(loglines.filtered(stage, self._visitor, reply and self._heard(reply), about, recipient))

    def rejected(self, event: Event, reply: Reply) -> None:
        """Log a command that was refused, by us or by the backend; what a milter refuses has its line."""
        if reply is self._filtered:
            return
        reply = self._heard(reply)
        match event:
            case HeloGiven(verb, name):
                self._log.say(loglines.rejected(verb, self._visitor, reply, name))
            case SenderGiven(envelope):
                self._log.say(loglines.rejected(b"MAIL", self._visitor, reply, envelope))
            case DataAsked(envelope):
                self._log.say(loglines.rejected(b"DATA", self._visitor, reply, envelope))
            case RecipientGiven(envelope, recipient):
                if reply == self._untold:
                    self._tell_of_screen(reply, event)
                self._log.say(loglines.rejected(b"RCPT", self._visitor, reply, envelope, recipient))

    def noted(self, stage: bytes, line: LogLine, about: About, recipient: Path | None) -> None:
        """Log what a list has to say of a command. stage: its verb. recipient: None where none is meant alone."""
        self._log.say(loglines.noted(stage, self._visitor, line, about, recipient))

    def checked(self, note: "Note", envelope: Envelope) -> None:
        """Log what a header or body check has found."""
        self._log.say(loglines.checked(self._visitor, note, envelope))

    def spared(self, stage: bytes, reply: Reply, about: About, recipient: Path | None) -> None:
        """Log a command that only --dry-run lets pass, in the word of warn_if_reject; of a recipient the first reason.

        stage, recipient: as of noted().
        """
        if recipient is None or recipient is not self._spared:
            self.noted(stage, LogLine(b"reject_warning", self._heard(reply).line), about, recipient)
        self._spared = recipient

    def proves(self, event: LoginAsked | TlsAsked) -> None:
        """Take note of a client that is about to log in, or to speak TLS."""
        self.watch.at(State.AUTH if isinstance(event, LoginAsked) else State.STARTTLS)

    def comes(self, event: Event) -> None:
        """Take note of what a client is at; at another transaction begin anew.

        The same envelope without recipients means the same one.
        """
        envelope: Envelope | None = getattr(event, "envelope", None)
        if envelope and not envelope.recipients and envelope is not self._begun:
            self._begun, self._delay, self._restriction = envelope, 0.0, None
        helo = event.name if isinstance(event, HeloGiven) else envelope and envelope.helo
        self.watch.at(_STATES.get(type(event), State.SESSION), helo or b"")

    def asked(self, event: Event) -> None:
        """Count from now on how long a client waits for the answer to an event."""
        self.comes(event)
        self._asked_at = time.monotonic()

    def answered(self) -> None:
        """Take note that the answer is there."""
        self._delay += time.monotonic() - self._asked_at
        self.watch.waits(b"")

    def visited(self, verdict: "Verdict") -> None:
        """Hear what became of a visit of a triplet; lists have a line about it."""

    def decided(self, restriction: str | None) -> None:
        """Keep which restriction has decided about a recipient that passes, or about a message. None = none has."""
        self._restriction = restriction

    def message(self, envelope: Envelope, reply: Reply, size: int) -> None:
        """Log a message that came to its end. size: bytes of content."""
        self._has_line = True
        if reply.is_positive:
            self.watch.took()
        course = Course(self._delay, self._restriction)
        self._log.say(loglines.message(self._visitor, envelope, size, self._heard(reply), course))

    def ended(self, dialogue: Dialogue) -> None:
        """Log how a session ended, unless it was by QUIT behind a message; and what was in it, with -v or without mail.

        Each session has a line: of its message, or of its end. A proxy's own has none: it checks our health.
        """
        if self._visitor.is_local:
            return
        line = self._last_line(dialogue)
        if line:
            self._log.say(line)
        if self._untold:
            self._tell_of_screen(self._untold, None)
        if self._log.verbose or not (line or self._has_line):
            self._log.say(loglines.disconnected(self._visitor, dialogue.counts))

    def _last_line(self, dialogue: Dialogue) -> bytes | None:
        visitor, verb = self._visitor, dialogue.last_verb
        size = dialogue.content_size if dialogue.in_content else None
        match dialogue.end:
            case b"lost connection" | b"":
                # smtpd.c: no complaint of a client that leaves without QUIT behind its message.
                return None if verb == b"END-OF-MESSAGE" else loglines.lost(visitor, verb, size)
            case b"timeout":
                return loglines.timed_out(visitor, verb, size)
            case b"too many errors":
                return loglines.too_many_errors(visitor, verb)
            case b"early talker" | b"improper pipelining":
                return loglines.improper_pipelining(visitor, verb, dialogue.excess)
            case b"not SMTP":
                return loglines.not_smtp(visitor, verb, dialogue.excess)
        return None

    def _heard(self, reply: Reply) -> Reply:
        return reply.softened if self._softens else reply

    def _tell_of_screen(self, reply: Reply, wanted: RecipientGiven | None) -> None:
        self._untold = None
        self._log.say(loglines.screened(self._screen, os.getpid(), self._visitor, reply, wanted))
