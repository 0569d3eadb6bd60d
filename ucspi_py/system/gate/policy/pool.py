"""The connections of one process to one policy service: made when they are needed, kept while they are of use."""

import asyncio
import posixpath
import socket
import time

from ....core.address import literal
from ....core.dns.message import AAAA, A, Ask, Found
from ....core.gate.policy.settings import PolicyService, PolicySettings, UnixServer
from ...lookup.futures import answer_to
from .connection import Lost, PolicyConnection

#: hosts(5): what no name server has to be asked about.
_LOCALHOST = ("127.0.0.1", "::1")


class Pool:
    """Connections to a service. settings: of it. ask: queries records, where the service has a name."""

    def __init__(self, service: PolicyService, settings: PolicySettings, ask: Ask) -> None:
        self._service = service
        self._settings = settings
        self._ask = ask
        self._idle: list[PolicyConnection] = []

    async def take(self, deadline: float) -> PolicyConnection:
        """Take a connection, the one that was used last or a new one. deadline: monotonic second.

        Raises OSError, and Lost where a name has no address.
        """
        while self._idle:
            connection = self._idle.pop()
            if connection.timer:
                connection.timer.cancel()
            if connection.is_open:
                return connection
        return await self._connected(deadline)

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

    async def _connected(self, deadline: float) -> PolicyConnection:
        loop, server = asyncio.get_running_loop(), self._service.server
        if isinstance(server, UnixServer):
            path = posixpath.join(self._settings.queue_directory, server.path)
            return (await loop.create_unix_connection(PolicyConnection, path))[1]
        failure: OSError | Lost = Lost(f"{server.host} has no address")
        for ip in await self._addresses(server.host, deadline):
            try:
                return (await loop.create_connection(PolicyConnection, ip, server.port))[1]
            except OSError as error:
                failure = error
        raise failure

    async def _addresses(self, host: str, deadline: float) -> tuple[str, ...]:
        if host.lower() == "localhost":
            return _LOCALHOST
        if literal(host):
            return (host,)
        found = []
        for kind, family in ((A, socket.AF_INET), (AAAA, socket.AF_INET6)):
            answer = await answer_to(self._ask, host.encode("ascii"), kind, deadline)
            records = answer.records if isinstance(answer, Found) else ()
            found += [socket.inet_ntop(family, record) for record in records]
        return tuple(found)
