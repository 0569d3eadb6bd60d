"""All policy services that the lists of one process ask. Never decides what an answer does."""

import asyncio
from collections.abc import Callable, Mapping

from ....core.dns.message import Ask
from ....core.gate.policy.settings import PolicyService, PolicySettings
from ....core.gate.restrictions.questions import PolicyFailure, PolicyOutcome, PolicyQuestion
from ....core.gate.restrictions.services import policy  # noqa: F401  no worker can once root is given up
from ....core.metrics.asked import HeardOfOne, unheard_of_one
from .client import PolicyClient
from .telling import Telling

Take = Callable[[PolicyOutcome], None]


class PolicyServices:
    """Asks services. settings: of all. ask: queries records. say: gets what is wrong. heard: how each question went."""

    def __init__(
        self, settings: PolicySettings, ask: Ask, say: Callable[[str], None], heard: HeardOfOne = unheard_of_one
    ) -> None:
        self._settings = settings
        self._ask = ask
        self._say = say
        self._heard = heard
        self._clients: dict[PolicyService, PolicyClient] = {}
        self._running: set[asyncio.Task[None]] = set()

    def begin(self, question: PolicyQuestion, deadline: float, take: Take) -> None:
        """Ask a service. deadline: monotonic second. take: gets the answer, once."""
        task = asyncio.ensure_future(self._answer(question, deadline, take))
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    def telling(self, environment: Mapping[bytes, bytes], unique_id: bytes) -> Telling:
        """Make what tells services of one client. environment, unique_id: as of Telling."""
        return Telling(environment, unique_id)

    def close(self) -> None:
        """Give all connections back that nobody uses."""
        for client in self._clients.values():
            client.close()

    async def _answer(self, question: PolicyQuestion, deadline: float, take: Take) -> None:
        action = await self._client(question.service).ask(question.request, deadline)
        take(PolicyFailure.FAILED if action is None else action)

    def _client(self, service: PolicyService) -> PolicyClient:
        if service not in self._clients:
            settings = service.settings(self._settings)
            self._clients[service] = PolicyClient(service, settings, self._ask, self._say, self._heard)
        return self._clients[service]
