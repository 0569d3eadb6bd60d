"""Logins are counted while they are checked, and by what came of them."""

import asyncio

from ucspi_py.core.auth.answer import Answer, Verdict
from ucspi_py.core.auth.credentials import Credentials, Peer
from ucspi_py.core.metrics.names import LOGINS, LOGINS_WAITING
from ucspi_py.system.metrics.counters import Counters
from ucspi_py.system.service.metrics.counted_logins import CountedChecker

PEER = Peer(b"192.0.2.7", b"192.0.2.1", b"25", secured=True)


class Slow:
    """A checker that answers when it is told to."""

    def __init__(self) -> None:
        self.may_answer = asyncio.Event()

    @property
    def mechanisms(self) -> tuple[bytes, ...]:
        """One."""
        return (b"PLAIN",)

    async def ready(self) -> None:
        """It is."""

    async def check(self, credentials: Credentials, _peer: Peer, /) -> Answer:
        """Yes, in the end."""
        await self.may_answer.wait()
        return Answer(Verdict.YES, credentials.login)

    def close(self) -> None:
        """Nothing is open."""


def test_a_login_waits_until_it_is_answered_or_its_client_is_gone() -> None:
    """Two wait; one is left, and the other one is answered."""

    async def logins() -> list[int]:
        counters, slow = Counters(1), Slow()
        checker = CountedChecker(slow, counters.column(1))
        credentials = Credentials(b"PLAIN", b"joe", b"s3cret")
        asked = [asyncio.ensure_future(checker.check(credentials, PEER)) for _ in range(2)]
        told = []
        await asyncio.sleep(0)
        told.append(counters.sum(LOGINS_WAITING.first))
        asked[0].cancel()
        await asyncio.wait(asked[:1])
        told.append(counters.sum(LOGINS_WAITING.first))
        slow.may_answer.set()
        await asked[1]
        return [*told, counters.sum(LOGINS_WAITING.first), counters.sum(LOGINS.cell("PLAIN", "yes"))]

    assert asyncio.run(logins()) == [2, 1, 0, 1]
