"""How clients of a gate become trusted: who checks their logins. Never checks one itself."""

from typing import NamedTuple, Protocol

from ...core.gate.visitor import Visitor
from ...core.smtp.settings import NOTHING, Offers
from .session import CheckLogin, Session


class Logins(Protocol):
    """Those who check the logins of one process's gate."""

    def offers(self, client: Visitor, /) -> Offers:
        """Tell what a client is offered, now and within TLS; NOTHING where it may not log in."""

    def begin(self, session: Session, /) -> CheckLogin:
        """Begin with one session, to which something was offered."""


class Trust(NamedTuple):
    """The ways to trust that a gate has. logins: None = nobody may log in."""

    logins: Logins | None = None

    def offers(self, client: Visitor) -> Offers:
        """Tell what a client's session offers."""
        return NOTHING if self.logins is None else self.logins.offers(client)

    def begun(self, session: Session, offers: Offers) -> Session:
        """Put into a session what it needs for its offers."""
        if self.logins is None or not offers.takes_auth:
            return session
        return session._replace(login=self.logins.begin(session))


#: That of a gate which knows its clients by their addresses alone.
NOBODY = Trust()
