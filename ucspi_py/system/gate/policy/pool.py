"""The connections of one process to one policy service: made when they are needed, kept while they are of use."""

import asyncio
import time

from ....core.dns.message import Ask
from ....core.gate.policy.settings import PolicyService, PolicySettings
from ..reach import connected
from .connection import PolicyConnection


class Pool:
    """Connections to a service. settings: of it. ask: queries records, where the service has a name."""

    def __init__(self, service: PolicyService, settings: PolicySettings, ask: Ask) -> None:
        self._service = service
        self._settings = settings
        self._ask = ask
        self._idle: list[PolicyConnection] = []

    async def take(self, deadline: float) -> PolicyConnection:
        """Take a connection, the one that was used last or a new one. deadline: monotonic second.

        Raises OSError, and NoAddress where a name has none.
        """
        while self._idle:
            connection = self._idle.pop()
            if connection.timer:
                connection.timer.cancel()
            if connection.is_open:
                return connection
        settings = self._settings
        return await connected(PolicyConnection, self._service.server, settings.queue_directory, self._ask, deadline)

    def give_back(self, connection: PolicyConnection) -> None:
        """Keep a connection that has its answer for the next question."""
        settings, now = self._settings, time.monotonic()
        rest = min(settings.max_idle, connection.born + settings.max_ttl - now)
        if rest <= 0 or not connection.is_open or connection.questions == settings.request_limit:
            connection.close()
            return
        connection.timer = asyncio.get_running_loop().call_later(rest, connection.close)
        self._idle = [one for one in self._idle if one.is_open]
        self._idle.append(connection)

    def empty(self) -> None:
        """Close what nobody uses: the service has been started anew, or is away."""
        while self._idle:
            self._idle.pop().close()
