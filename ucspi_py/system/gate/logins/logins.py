"""The logins of one process's gate: what is offered, and who lets a client in (trust.Logins)."""

import secrets
from typing import TYPE_CHECKING

from ....core.auth.credentials import Credentials, Peer
from ....core.gate.logins.offered import CRAM_MD5, offered
from ....core.gate.logins.settings import LoginSettings
from ....core.gate.visitor import Visitor
from ....core.smtp.settings import Offers
from ...accept.client_events import ClientEvents
from ...auth.checker import Checker
from ...report.log import Log
from ..session import Answered, CheckLogin, Session
from .session_login import Checking, SessionLogin
from .trials import Trials
from .user_throttle import UserThrottle

if TYPE_CHECKING:
    from ...fleet.fleet import Fleet
    from .prepared import LoginTables

#: Random bytes that no other session has, for CRAM-MD5.
_NONCE = 16


class Logins:
    """Lets clients log in.

    checker: made in this process. shared: None = nothing is counted beyond a session. fleet: with
    whom passwords are counted; None = nobody.
    """

    def __init__(
        self,
        settings: LoginSettings,
        checker: Checker,
        shared: "LoginTables | None",
        log: Log,
        fleet: "Fleet | None" = None,
    ) -> None:
        self._settings = settings
        self._shared = shared
        trials = Trials(shared.tries, fleet.tries if fleet else None) if shared else None
        self._checking = Checking(checker, trials, settings.smtpd_sasl_channel)
        self._log = log

    def offers(self, client: Visitor, /) -> Offers:
        """Tell what a client is offered."""
        settings = self._settings
        checked = self._checking.checker.mechanisms
        within_tls = offered(settings, checked, client.ip, secured=True)
        in_clear = () if settings.smtpd_tls_auth_only else offered(settings, checked, client.ip, secured=False)
        return Offers(
            mechanisms=in_clear,
            secured_mechanisms=within_tls,
            broken_clients=settings.broken_sasl_auth_clients,
            response_limit=settings.smtpd_sasl_response_limit,
            nonce=secrets.token_hex(_NONCE).encode() if CRAM_MD5 in (*in_clear, *within_tls) else b"",
        )

    def begin(self, session: Session, /) -> CheckLogin:
        """Begin with one session."""
        told = session.environment
        local = told.get(b"TCPLOCALIP", b""), told.get(b"TCPLOCALPORT", b"")
        login = SessionLogin(self._checking, session, Peer(session.visitor.ip, *local, secured=False))
        recipients = self._shared and self._shared.recipients
        return _Throttled(login, session, self._settings, recipients, self._log) if recipients else login


class _Throttled:
    """Lets one client log in, and has the recipients of its user counted from then on."""

    def __init__(
        self, login: CheckLogin, session: Session, settings: LoginSettings, recipients: ClientEvents, log: Log
    ) -> None:
        self._login = login
        self._dialogue = session.dialogue
        self._user: Visitor | None = None
        throttle = UserThrottle(settings.hourly_recipient_limit, recipients, log, session.dialogue.throttle)
        throttle.user = self._current
        session.dialogue.throttled(throttle)

    async def __call__(self, credentials: Credentials, client: Visitor) -> Answered:
        """Check credentials."""
        answered = await self._login(credentials, client)
        self._user = answered.visitor or self._user
        return answered

    def _current(self) -> Visitor | None:
        """The user, whom STARTTLS forgets."""
        return self._user if self._dialogue.login else None
