"""One user held against the limit of recipients in an hour, besides what its client is held against."""

from collections.abc import Callable

from ....core.client.window import Event
from ....core.gate.logins import recipients
from ....core.gate.visitor import Visitor
from ....core.smtp.reply import Reply
from ....core.smtp.session.state import Throttle
from ...accept.client_events import ClientEvents
from ...report.log import Log
from .tries_table import key


class UserThrottle:
    """Counts the recipients of one session's user, over the whole service.

    limit: recipients in an hour. events: where they are counted. of_client: counts what the client does; None = nothing
    does. user: who has logged in; None = nobody has, or not since TLS began.
    """

    __slots__ = ("_events", "_limit", "_log", "_of_client", "user")

    def __init__(self, limit: int, events: ClientEvents, log: Log, of_client: Throttle | None) -> None:
        self._limit = limit
        self._events = events
        self._log = log
        self._of_client = of_client
        self.user: Callable[[], Visitor | None] = _nobody

    def __call__(self, verb: bytes) -> Reply | None:
        """Count a command; None, or its refusal. verb: in capitals."""
        refusal = self._of_client and self._of_client(verb)
        user = self.user()
        if refusal or user is None or verb != b"RCPT":
            return refusal
        count = self._events.note(key(b"", user.login.lower()), Event.RECIPIENT)
        excess = recipients.too_many(self._limit, user, count)
        if excess is None:
            return None
        self._log.warn(excess.line)
        return excess.reply


def _nobody() -> None:
    return None
