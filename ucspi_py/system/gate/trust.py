"""How clients of a gate become trusted: by logins, and within TLS. Never checks a login itself."""

from typing import TYPE_CHECKING, NamedTuple, Protocol

from ...core.gate.visitor import Visitor
from ...core.smtp.settings import NOTHING, Offers
from .session import CheckLogin, Session

if TYPE_CHECKING:
    from .tls.starttls import StartTls


class Logins(Protocol):
    """Those who check the logins of one process's gate."""

    def offers(self, client: Visitor, /) -> Offers:
        """Tell what a client is offered, now and within TLS; NOTHING where it may not log in."""

    def begin(self, session: Session, /) -> CheckLogin:
        """Begin with one session, to which something was offered."""


class Trust(NamedTuple):
    """The ways to trust that a gate has. logins: None = nobody may log in. tls: None = there is none."""

    logins: Logins | None = None
    tls: "StartTls | None" = None

    def offers(self, client: Visitor) -> Offers:
        """Tell what a client's session offers."""
        offers = NOTHING if self.logins is None or client.is_local else self.logins.offers(client)
        if self.tls is not None:
            offers = self.tls.offers(offers)
        return offers if client.tls is None else offers._replace(secured=True)

    def begun(self, session: Session, offers: Offers) -> Session:
        """Put into a session what it needs for its offers."""
        if self.logins is not None and offers.takes_auth:
            session = session._replace(login=self.logins.begin(session))
        return session if self.tls is None else session._replace(tls=self.tls)


#: That of a gate which knows its clients by their addresses alone.
NOBODY = Trust()
