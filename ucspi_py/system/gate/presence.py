"""Whether one session's client may stay: who is silent or slow is left, and who is in no transaction when we leave.

All times are seconds of the monotonic clock.
"""

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, TypeVar

from ...core.smtp.reply import Reply, reply
from .client_end import ClientEnd
from .session import Host, Session

#: Seconds for which a backend may be kept between two messages: it has a slot.
_BACKEND_IDLE = 60.0

CROWDED = reply(421, b"4.3.2 too many clients, try again later")
_TIMED_OUT = b"4.4.2 %b Error: timeout exceeded"
_LEAVING = b"4.3.2 %b Service not available, try again later"

_P = ParamSpec("_P")
_S = TypeVar("_S", bound="Presence")


def of_one_session(method: Callable[Concatenate[_S, _P], None]) -> Callable[Concatenate[_S, _P], None]:
    """Have an error of what the loop calls end this session, and disturb no other."""

    @wraps(method)
    def guarded(self: _S, /, *args: _P.args, **kwargs: _P.kwargs) -> None:
        try:
            method(self, *args, **kwargs)
        except Exception as error:
            self.fail(error)

    return guarded


class Presence:
    """One client's presence, and all that its conversation works with. client: its end of it."""

    __slots__ = (
        "_backend",
        "_client",
        "_dialogue",
        "_error",
        "_hold",
        "_host",
        "_is_leaving",
        "_log",
        "_name",
        "_session",
        "_visitor",
    )

    def __init__(self, host: Host, session: Session, client: ClientEnd) -> None:
        self._host = host
        self._session = session
        self._name, _, self._dialogue, self._visitor, self._backend, self._hold, self._log, *_ = session
        self._client = client
        self._error: Exception | None = None
        self._is_leaving = False

    def fail(self, error: Exception) -> None:
        """End the session without a word: something went wrong that nobody expected."""
        self._error = self._error or error
        self._client.end()

    @of_one_session
    def look(self, now: float, *, idle_limit: float, leaving: bool) -> None:
        """Leave a client that is silent or slow for too long.

        now: the time. idle_limit: seconds for which it may be silent. leaving: whether whoever is in no transaction is
        to be left.
        """
        self._is_leaving = leaving
        dialogue = self._dialogue
        if dialogue.waits:
            return
        if self._client.is_late(now, idle_limit):
            self._client.close(reply(421, _TIMED_OUT % self._name), b"timeout")
        elif dialogue.idle and leaving:
            self._client.close(self._farewell(), b"leaving")
        elif dialogue.idle:
            self._backend.rest(now - _BACKEND_IDLE)

    @of_one_session
    def dismiss(self) -> None:
        """Leave the client for a newcomer, with a word, if it takes it at once."""
        self._client.close(CROWDED, b"crowded")
        self._client.end()

    def _farewell(self) -> Reply:
        return reply(421, _LEAVING % self._name)
