"""One client held against the limits of what it may do. Never decides what is too much, and never counts itself."""

from typing import Protocol

from ...core.client.window import Event
from ...core.gate import event_limits
from ...core.gate.event_limits import Excess
from ...core.gate.settings import EventLimits
from ...core.gate.visitor import Visitor
from ...core.smtp.reply import Reply
from ..report.log import Log

_EVENTS = {b"MAIL": Event.MESSAGE, b"RCPT": Event.RECIPIENT, b"AUTH": Event.AUTH}


class Counts(Protocol):
    """Counts a client with all others of its address, over the whole service."""

    def let_in(self, limit: int, /) -> int:
        """Count its connections, this one included.

        limit: beyond it, this one is not there for those who come next; 0 = there is none.
        """

    def note(self, event: Event, /) -> int:
        """Count an event -> how many of the kind its period has, this one included."""


class Throttle:
    """Counts what one client does, and refuses what is too much. name: ours, in replies.

    connections: of the client, this one included; 0 = nobody has counted them.
    """

    __slots__ = ("_counts", "_limits", "_log", "_name", "_visitor", "connections")

    def __init__(self, limits: EventLimits, counts: Counts, visitor: Visitor, name: bytes, log: Log) -> None:
        self.connections = 0
        self._limits = limits
        self._counts = counts
        self._visitor = visitor
        self._name = name
        self._log = log

    def connection(self) -> Reply | None:
        """Count the connection; None, or what is said instead of a banner."""
        of_rate = self._noted(Event.CONNECTION)
        return self._said(self._at_once() or of_rate)

    def command(self, verb: bytes) -> Reply | None:
        """Count a command, MAIL, RCPT or AUTH; None, or its refusal. verb: in capitals."""
        return self._said(self._noted(_EVENTS[verb]))

    def _at_once(self) -> Excess | None:
        self.connections = self._counts.let_in(self._limits.smtpd_client_connection_count_limit)
        return event_limits.too_many_at_once(self._limits, self._visitor, self.connections, self._name)

    def _noted(self, event: Event) -> Excess | None:
        if not self._limits.rates[event]:
            return None
        return event_limits.too_many(self._limits, self._visitor, event, self._counts.note(event), self._name)

    def _said(self, excess: Excess | None) -> Reply | None:
        if excess is None:
            return None
        self._log.warn(excess.line)
        return excess.reply
