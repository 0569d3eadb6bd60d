"""What checks credentials: the guard's checkpassword, Dovecot, saslauthd. Each is a Checker."""

from typing import Protocol

from ...core.auth.answer import Answer
from ...core.auth.credentials import Credentials, Peer


class Checker(Protocol):
    """Made in the process that uses it."""

    @property
    def mechanisms(self) -> tuple[bytes, ...]:
        """Those that it can check, in capitals; () while it cannot be asked."""

    async def ready(self) -> None:
        """Wait, for a limited time, until it has turned out which those are."""

    async def check(self, credentials: Credentials, peer: Peer, /) -> Answer:
        """Check credentials within a limited time. Never raises: what fails is LATER, with its reason."""

    def close(self) -> None:
        """Give everything back."""
