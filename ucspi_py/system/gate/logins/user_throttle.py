"""One user held against the limit of recipients in an hour, besides what its client is held against."""

from collections.abc import Callable

from ....core.client.window import Event
from ....core.gate.logins import recipients
from ....core.gate.visitor import Visitor
from ....core.smtp.reply import Reply
from ...accept.client_events import ClientEvents
from ...report.log import Log
from .tries_table import key

Throttle = Callable[[bytes], Reply | None]


class UserThrottle:
    """Counts the recipients of a user over the whole service.

    limit: recipients in an hour. user: who has logged in. of_client: counts what its client does; None = nothing does.
    """

    __slots__ = ("_events", "_limit", "_log", "_of_client", "_user")

    def __init__(self, limit: int, events: ClientEvents, user: Visitor, log: Log, of_client: Throttle | None) -> None:
        self._limit = limit
        self._events = events
        self._user = user
        self._log = log
        self._of_client = of_client

    def __call__(self, verb: bytes) -> Reply | None:
        """Count a command; None, or its refusal. verb: in capitals."""
        refusal = self._of_client and self._of_client(verb)
        if refusal or verb != b"RCPT":
            return refusal
        count = self._events.note(key(b"", self._user.login.lower()), Event.RECIPIENT)
        excess = recipients.too_many(self._limit, self._user, count)
        if excess is None:
            return None
        self._log.warn(excess.line)
        return excess.reply
