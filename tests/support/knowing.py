"""Who checks passwords in tests without a server: a Checker that knows some users."""

from ucspi_py.core.auth.answer import Answer, Verdict
from ucspi_py.core.auth.credentials import Credentials, Peer


class Knowing:
    """Knows users. users: their passwords. answer: what is said instead; None = what is right."""

    mechanisms = (b"PLAIN", b"LOGIN")

    def __init__(self, users: dict[bytes, bytes], answer: Answer | None = None) -> None:
        self.users = users
        self.answer = answer
        self.asked: list[tuple[Credentials, Peer]] = []

    async def ready(self) -> None:
        """Have nothing to find out."""

    async def check(self, credentials: Credentials, peer: Peer, /) -> Answer:
        """Check credentials, and note who was asked about."""
        self.asked.append((credentials, peer))
        if self.answer is not None:
            return self.answer
        is_right = self.users.get(credentials.login) == credentials.secret
        return Answer(Verdict.YES, credentials.login) if is_right else Answer(Verdict.NO, b"", "exits 1")

    def close(self) -> None:
        """Have nothing to give back."""
