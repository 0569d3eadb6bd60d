"""The log of one session at the gate: what was refused, what was taken, how it ended. Never decides."""

from ...core.gate import loglines
from ...core.gate.visitor import Visitor
from ...core.smtp.dialogue import Dialogue
from ...core.smtp.envelope import Envelope
from ...core.smtp.events import RecipientGiven
from ...core.smtp.reply import Reply
from ..report.log import Log


class SessionLog:
    """Logs one client's session. screen: the name of the screen that has something against it."""

    __slots__ = ("_is_refusal_told", "_log", "_screen", "_visitor")

    def __init__(self, log: Log, visitor: Visitor, screen: bytes) -> None:
        self._log = log
        self._visitor = visitor
        self._screen = screen
        self._is_refusal_told = False

    def rejected(self, event: RecipientGiven, reply: Reply) -> None:
        """Log a recipient that was refused, by us or by the backend."""
        self._log.say(loglines.rejected(b"RCPT", self._visitor, reply, event.envelope, event.recipient))

    def message(self, envelope: Envelope, reply: Reply, size: int) -> None:
        """Log a message that came to its end. size: bytes of content."""
        self._log.say(loglines.message(self._visitor, envelope, size, reply))

    def backend_failed(self, sentence: str) -> None:
        """Log what is wrong with the backend."""
        self._log.warn(loglines.warning(sentence))

    def timed_out(self, dialogue: Dialogue) -> None:
        """Log that the client was silent for too long."""
        size = dialogue.content_size if dialogue.in_content else None
        self._log.say(loglines.timed_out(self._visitor, dialogue.last_verb, size))
