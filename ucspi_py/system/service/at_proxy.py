"""Clients of one worker that come by a proxy: first their header, then all that every client meets.

Until the header is there, nothing is said, looked up or counted. Loaded only where a service has proxies.
"""

import socket
from dataclasses import replace
from functools import lru_cache, partial

from ...core.client import limits
from ...core.client.connection import Endpoints
from ...core.client.limits import ClientLimits, Keys
from ...core.client.proxy.header import Flaw, Header, More
from ...core.client.proxy.proxied import local_environment, local_variables, proxied
from ...core.gate.visitor import is_in
from ...core.rules.data import Instructions
from ..accept.scoreboard import NOBODY, Place
from ..backend.spawn_batch import Session
from ..report.local_log import LocalLog
from ..stream.proxy_header import Headers, Look, header_of
from .admission import Admission, Serve
from .context import Decide, Service
from .shared import Shared


class ProxiedAdmission(Admission):
    """Lets proxies in, and nobody else, and has those served that they speak for. See Admission."""

    _fails_checks = False

    def fail_checks(self) -> None:
        """Close proxies' own connections from now on, as if nobody were here."""
        self._fails_checks = True

    def open(self, serve: Serve) -> None:
        """Begin to let clients in. serve: gets each behind its header, with its proxy."""
        self._headers = Headers(self._settings.held_limit)
        self._serve_client = serve
        self._is_proxy = lru_cache(1024)(partial(is_in, networks=self._settings.proxies))
        super().open(self._serve_proxied)

    def take(self, client: socket.SocketType, peer: tuple[str, int]) -> None:
        """Take over a connection, if it is a proxy's; another's is closed unread. peer: address and port."""
        endpoints = self._endpoints(client, peer)
        if self._is_proxy(endpoints.remote_ip):
            self._let_wait(client, endpoints)
        else:
            client.close()
            self._connection_log.without_header(endpoints.remote_ip, "not one of --proxy-from")

    @property
    def _needs_slot(self) -> bool:
        """Whoever is turned away (--shed) is told so behind the header, for which it needs no slot."""
        return super()._needs_slot and self._settings.overload_message is None

    def _has_room(self) -> bool:
        """Where a client that waits has no place, its header is waited for without one."""
        return not self._headers.is_full and super()._has_room()

    def _serve_proxied(self, connection: socket.SocketType, proxy: Endpoints, place: Place | None) -> Session:
        """Take one client from its header to its end. proxy: the ends of the connection, which have named its place.

        Most headers are there already: nothing of ours stands then between the client and those who serve it.
        """
        place = place and self._named(place, NOBODY)
        header = header_of(connection)
        return self._begun(header, connection, proxy, place) if header else self._later(connection, proxy, place)

    async def _later(self, connection: socket.SocketType, proxy: Endpoints, place: Place | None) -> None:
        look = Look(connection)
        header = look.again()
        if isinstance(header, More):
            header = await self._awaited(look)
        await self._begun(header, connection, proxy, place)

    def _begun(
        self, header: Header | Flaw, connection: socket.SocketType, proxy: Endpoints, place: Place | None
    ) -> Session:
        """What becomes of a connection behind its header."""
        if isinstance(header, Flaw):
            connection.close()
            self._connection_log.without_header(proxy.remote_ip, header.reason)
            return _gone()
        came = proxied(proxy, header)
        if came.is_local:
            if self._fails_checks:
                connection.close()
                return _gone()
        elif self.sheds():
            self.send_away(connection, came.endpoints)
            return _gone()
        elif place:
            place = self._named(place, limits.keys(self._settings.client_limits, came.endpoints.remote_ip))
        return self._serve_client(connection, came.endpoints, place, came)

    async def _awaited(self, look: Look) -> Header | Flaw:
        try:
            return await self._headers.wait_for(look)
        finally:
            if len(self._headers) == self._settings.held_limit - 1:
                self.changed()

    def _named(self, place: Place, keys: Keys) -> Place:
        self._board.name(place.row, *keys)
        return Place(place.row, keys)


async def _gone() -> None:
    """Be done with a connection that is closed."""


def with_locals(service: Service, shared: Shared) -> Service:
    """Have a service know what proxies' own connections meet: the rules, and the program.

    Nobody relays there or is limited.
    """
    local = replace(
        service,
        settings=replace(service.settings, client_limits=ClientLimits(), relay_key=None),
        decide=_as_local(service.decide),
        environment=local_environment(service.environment),
        screens=(),
        connection_log=LocalLog(shared.log, shared.tables.board, shared.settings.limit),
        fleet=None,
    )
    return replace(service, local=local)


def _as_local(decide: Decide) -> Decide:
    def decided(ip: bytes, host: bytes | None, info: bytes | None) -> Instructions:
        rule = decide(ip, host, info)
        return rule._replace(variables=local_variables(rule.variables))

    return decided
