"""A session's content, from its 354 to what becomes of the message (RFC 5321, 4.1.1.4). Never judges whose it is."""

from .. import events
from ..envelope import Envelope
from ..settings import BareNewline, Greeting, SmtpSettings
from .outcome import Said, answered
from .reception import Reception
from .speech import Speech


class Message(Speech):
    """The part of a dialogue that receives content. excepted: bare newlines are normalized, too."""

    __slots__ = ("_bare_newline",)

    def __init__(self, settings: SmtpSettings, greeting: Greeting, *, excepted: bool, judges_early: bool) -> None:
        super().__init__(settings, greeting, excepted=excepted, judges_early=judges_early)
        asked = settings.forbid_bare_newline
        self._bare_newline = BareNewline.NORMALIZE if excepted and asked is BareNewline.REJECT else asked

    def _begin_content(self, envelope: Envelope) -> None:
        self._reception = Reception(envelope, self._bare_newline, self._state.greeting.content_limit)
        self._reception.feed(self._reader.take_rest())

    def _next_of_content(self, reception: Reception, *, half_closed: bool) -> events.Event | None:
        """Work through what came of it -> the next event. half_closed: nothing more comes."""
        piece = reception.next()
        if piece:
            return events.ContentGiven(piece)
        if not reception.ended:
            self.end = b"lost connection" if half_closed else b""
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
