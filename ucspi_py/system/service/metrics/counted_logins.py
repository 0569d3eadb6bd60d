"""Logins that are counted as they are checked. Never checks one itself."""

from ....core.auth.answer import Answer
from ....core.auth.credentials import Credentials, Peer
from ....core.metrics.names import LOGINS, LOGINS_WAITING
from ...auth.checker import Checker
from ...metrics.counters import Column


class CountedChecker:
    """See Checker, for its methods, too. checker: checks. column: where it is counted."""

    def __init__(self, checker: Checker, column: Column) -> None:
        self._checker = checker
        self._column = column
        self.ready = checker.ready
        self.close = checker.close

    @property
    def mechanisms(self) -> tuple[bytes, ...]:
        """See Checker."""
        return self._checker.mechanisms

    async def check(self, credentials: Credentials, peer: Peer, /) -> Answer:
        """Count it while it lasts, and what the answer is."""
        self._column.move(LOGINS_WAITING.first, 1)
        try:
            answer = await self._checker.check(credentials, peer)
        finally:
            self._column.move(LOGINS_WAITING.first, -1)
        method = credentials.mechanism.decode("ascii", "replace")
        self._column.count(LOGINS.cell(method, answer.verdict.value))
        return answer
