"""The log of a session at the gate, with what it comes to counted as well. Never decides."""

from collections.abc import Callable
from typing import Self

from ....core.gate.visitor import Visitor
from ....core.greylist.attempt import Deferred, Verdict
from ....core.greylist.triplet.changes import NO_STORE
from ....core.metrics.names import GREYLIST, MESSAGE_BYTES, MESSAGES, REJECTS
from ....core.smtp.envelope import Envelope
from ....core.smtp.events import DataAsked, Event, HeloGiven, RecipientGiven, SenderGiven
from ....core.smtp.reply import Reply
from ...gate.session_log import SessionLog
from ...metrics.counters import Column
from ...report.log import Log

#: The commands that have a line where they are refused, and the stage of each.
_STAGES: dict[type, str] = {HeloGiven: "HELO", SenderGiven: "MAIL", RecipientGiven: "RCPT", DataAsked: "DATA"}


class CountedSessionLog(SessionLog):
    """Counts in a column. See SessionLog, for its methods, too."""

    __slots__ = ("_count",)

    def counting(self, column: Column) -> Self:
        """Count there, before anything else."""
        self._count = column.count
        return self

    def denied(self, reply: Reply) -> None:
        """Count a client that was refused before its banner."""
        self._reject("CONNECT", reply)
        super().denied(reply)

    def rejected(self, event: Event, reply: Reply) -> None:
        """Count a command that was refused."""
        stage = _STAGES.get(type(event))
        if stage:
            self._reject(stage, reply)
        super().rejected(event, reply)

    def visited(self, verdict: Verdict) -> None:
        """Count a visit of a triplet."""
        self._count(GREYLIST.cell(_came(verdict)))
        super().visited(verdict)

    def message(self, envelope: Envelope, reply: Reply, size: int) -> None:
        """Count a message that came to its end. size: bytes of content."""
        if not self.visitor.is_local:
            heard = self._heard(reply)
            result = "taken" if heard.code < 400 else "deferred" if heard.code < 500 else "refused"
            self._count(MESSAGES.cell(_trust(self.visitor), result))
            if result == "taken":
                self._count(MESSAGE_BYTES.first, size)
        super().message(envelope, reply, size)

    def _reject(self, stage: str, reply: Reply) -> None:
        self._count(REJECTS.cell(stage, "4xx" if self._heard(reply).code < 500 else "5xx"))


def maker(column: Column) -> Callable[..., CountedSessionLog]:
    """Make what makes the log of each session, as SessionLog."""

    def made(log: Log, visitor: Visitor, screen: bytes, **asked: bool) -> CountedSessionLog:
        return CountedSessionLog(log, visitor, screen, **asked).counting(column)

    return made


def _came(verdict: Verdict) -> str:
    """How a triplet came, as the metric has it."""
    if isinstance(verdict, Deferred):
        return "new" if verdict.is_new else "early"
    if verdict.reason == NO_STORE:
        return "error"
    return "known" if verdict.waited is None else "passed"


def _trust(visitor: Visitor) -> str:
    """Why a client may send to anybody, as the metric has it."""
    if visitor.relays:
        return "rule"
    if visitor.login:
        return "login"
    return "certificate" if visitor.certified else "none"
