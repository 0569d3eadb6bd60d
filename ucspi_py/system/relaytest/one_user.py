"""Who checks passwords in a relay test: one user is known, with a password of this test. Never asks anybody."""

import hmac
import secrets

from ...core.auth.answer import Answer, Verdict
from ...core.auth.credentials import Credentials, Peer
from ...core.relaytest.script import Login

#: Random bytes of the password.
_BYTES = 24


def login(user: bytes) -> Login:
    """Make a password for a user, for this test alone."""
    return Login(user, secrets.token_urlsafe(_BYTES).encode())


class OneUser:
    """Knows one login (checker.Checker)."""

    mechanisms = (b"PLAIN", b"LOGIN")

    def __init__(self, login: Login) -> None:
        self._login = login

    async def ready(self) -> None:
        """Be ready at once."""

    async def check(self, credentials: Credentials, _peer: Peer, /) -> Answer:
        """Say yes to the login alone."""
        said = credentials.login == self._login.user and hmac.compare_digest(credentials.secret, self._login.password)
        return Answer(Verdict.YES, self._login.user) if said else Answer(Verdict.NO)

    def close(self) -> None:
        """Have nothing to give back."""
