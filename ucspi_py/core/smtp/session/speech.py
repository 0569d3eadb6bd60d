"""What a session's dialogue says, and how it is counted; how it leaves a client. Never reads a command."""

from .. import events
from ..reply import Reply, softened
from ..settings import Greeting, SmtpSettings
from . import replies
from .facts import Facts
from .outcome import Said, answered

#: Bytes of what was sent too early that are kept for the log (smtpd.c, smtpd_flag_ill_pipelining).
_EXCESS_LIMIT = 100
#: What a command that is none is counted as.
UNKNOWN = b"UNKNOWN"


class Speech(Facts):
    """What one session's dialogue says. excepted: what comes before its time is taken."""

    __slots__ = ("_denial", "_is_strict")

    def __init__(self, settings: SmtpSettings, greeting: Greeting, *, excepted: bool, judges_early: bool) -> None:
        super().__init__(settings, greeting, judges_early=judges_early)
        self._denial: Said | None = None
        self._is_strict = settings.forbid_unauth_pipelining and not excepted

    def greet(self, waiting: bytes = b"") -> None:
        """Say the banner. waiting: what the client has sent before it, which is forbidden to most."""
        self._reader.feed(waiting)
        if waiting and self._is_strict:
            self._leave_early(b"early talker")
        else:
            self._output.say(Reply(220, (self._state.greeting.banner,)).wire, slowly=False)

    def deny(self, refusal: Reply, later: Reply | None) -> None:
        """Refuse the client instead of greeting it.

        later: what each of its commands but QUIT is told; None = its commands are carried out.
        """
        heard = refusal.softened if self._state.settings.soft_bounce else refusal
        self._output.say(heard.wire, slowly=False)
        self._counters.errors += 1
        self._denial = answered(later) if later else None
        self.end = answered(heard).end

    def turn_away(self, later: Reply) -> None:
        """Tell the client this at each command from now on, but QUIT."""
        self._denial = answered(later)

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

    def _pause(self) -> events.Paused:
        """Have the client wait for the reply that is held."""
        self._output.is_paused = True
        return events.Paused(self._state.settings.error_sleep_time)

    def _reject(self, said: Said, line: bytes) -> None:
        """Answer a line that is no command, or leave a client that speaks another protocol."""
        if said.end:
            self.excess = self._safe(line)
        else:
            self.last_verb = UNKNOWN
        self._counters.begin(UNKNOWN)
        self._settle(UNKNOWN, said)

    def _without_content(self, said: Said) -> Said:
        """DATA that is refused: what was sent behind it is content, of which no byte may be taken for a command."""
        if said.end or not self._reader.has_more:
            return said
        self.excess = self._safe(self._reader.take_rest())
        return said._replace(reply=said.reply + replies.OUT_OF_SYNC, end=b"improper pipelining")

    def _leave_early(self, end: bytes) -> None:
        """Leave a client that sends before it may."""
        self.excess = self._safe(self._reader.take_rest())
        self._leave(replies.OUT_OF_SYNC, end)

    def _safe(self, excess: bytes) -> bytes:
        """What a log may have of bytes that came too early: nothing that could be a password."""
        if b"AUTH" in self._counters.verbs:
            return b""
        at = excess.upper().find(b"AUTH")
        return excess[: min(_EXCESS_LIMIT, at + 4 if at >= 0 else _EXCESS_LIMIT)]

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
