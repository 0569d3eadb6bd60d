"""How the client of a conversation becomes somebody else: by a login, or by TLS. Never decides whether it may."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from ...core.errors import Failure
from ...core.gate.visitor import Visitor, within_tls
from ...core.smtp import events
from ...core.smtp.session import replies
from ...core.tls.environment import with_tls
from ...core.tls.facts import TlsFacts
from .backend.patience import Patience
from .client_end import ClientEnd
from .presence import Presence
from .session import Host, Session

if TYPE_CHECKING:
    from .tls.starttls import ShakeHands

_P = ParamSpec("_P")
_T = TypeVar("_T")


class Trusting(Presence):
    """A client that is present, and what is known of it now."""

    __slots__ = ("_environment", "_patience")

    def __init__(self, host: Host, session: Session, client: ClientEnd) -> None:
        super().__init__(host, session, client)
        self._environment = session.environment
        self._patience = Patience()

    async def _log_in(self, event: events.LoginAsked) -> None:
        """Have the client's credentials checked; whom they let in is somebody else for lists, backend and log."""
        if self._session.login is None:
            raise ValueError("a login that nobody offers")
        answered = await self._unless_over(self._session.login, event.credentials, self._visitor)
        if answered is None:
            return
        if answered.visitor:
            self._becomes(answered.visitor)
        if answered.later:
            self._dialogue.turn_away(answered.later)
        self._dialogue.answer(answered.reply, answered.login)

    async def _begin_tls(self) -> bool:
        """Begin TLS; whether it has begun. Whoever speaks within it is nobody yet (RFC 3207, 4.2)."""
        if self._session.tls is None:
            raise ValueError("TLS that nobody offers")
        try:
            shake_hands = self._session.tls.ready()
        except Failure:
            self._dialogue.answer(replies.TLS_BROKEN)
            return False
        self._dialogue.answer(replies.TLS_READY)
        self._client.tell()
        return self._dialogue.waits and await self._shake_hands(shake_hands)

    async def _shake_hands(self, shake_hands: "ShakeHands") -> bool:
        try:
            facts = await self._unless_over(self._client.secure, shake_hands)
        except Failure as failure:
            self._log.tls_failed(failure.sentence)
            self._dialogue.close(None, b"TLS failed")
            self._client.end()
            return False
        if facts is None:
            return False
        self._becomes_secured(facts)
        self._dialogue.secured()
        return True

    def _becomes(self, visitor: Visitor) -> None:
        """Let the client be somebody else from now on. A backend that runs knows it not, and is left."""
        self._visitor = visitor
        self._log.becomes(visitor)
        self._backend.becomes(visitor, self._environment)

    def _becomes_secured(self, facts: TlsFacts) -> None:
        """Let the client be who it was at first, within TLS."""
        self._environment = with_tls(self._session.environment, facts)
        self._becomes(within_tls(self._session.visitor, facts, self._host.settings))

    async def _unless_over(self, ask: Callable[_P, Awaitable[_T]], *args: _P.args, **kwargs: _P.kwargs) -> _T | None:
        """Ask somebody; None where the client has gone meanwhile."""
        if self._client.over.done():
            return None
        try:
            with self._patience:
                return await ask(*args, **kwargs)
        except TimeoutError:
            return None
