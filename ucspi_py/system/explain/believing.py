"""Who lets a client in that is only asked about: nobody has its password."""

from ...core.auth.credentials import Credentials
from ...core.gate.logins.answers import ACCEPTED
from ...core.gate.logins.logged_in import logged_in
from ...core.gate.logins.offered import offered
from ...core.gate.logins.settings import LoginSettings
from ...core.gate.visitor import Visitor
from ...core.smtp.settings import Offers
from ..gate.session import Answered, CheckLogin, Session

#: By which such a client logs in.
MECHANISM = b"PLAIN"


class Believing:
    """Believes whatever it is told (trust.Logins), as TLS is believed to be there. settings: of whoever is offered."""

    def __init__(self, settings: LoginSettings) -> None:
        self._settings = settings

    def offers(self, client: Visitor, /) -> Offers:
        """Offer what a client is within TLS."""
        found = offered(self._settings, (MECHANISM,), client.ip, secured=True)
        return Offers(mechanisms=found, secured_mechanisms=found)

    def begin(self, session: Session, /) -> CheckLogin:
        """Let one client in."""

        async def check(credentials: Credentials, client: Visitor) -> Answered:
            user = logged_in(client, session.environment, credentials.login, credentials.mechanism)
            return Answered(ACCEPTED, credentials.login, user)

        return check
