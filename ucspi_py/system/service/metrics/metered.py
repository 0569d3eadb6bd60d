"""What one worker counts for whoever reads the service's numbers. Loaded only where somebody does."""

import socket
from functools import partial
from typing import TYPE_CHECKING

from ....core.address import is_ipv6
from ....core.client.connection import Endpoints
from ....core.metrics.asked import Went
from ....core.metrics.counted import microseconds
from ....core.metrics.names import CONNECTIONS, LOG_LINES_LOST, PROXY_HEADERS, SERVER_QUERIES, SERVER_SECONDS
from ...accept.scoreboard import Place, Scoreboard
from ...auth.checker import Checker
from ...backend.spawn_batch import Session
from ...gate.gate import Gate
from ...metrics.counted_log import CountedLog, counted_log
from ...metrics.counters import Column
from ...report.log import Log
from ..context import Service, Tls
from ..session import serve

if TYPE_CHECKING:
    from ....core.client.proxy.proxied import Proxied
    from ....core.gate.tls.settings import GateTls
    from ...gate.tls.starttls import StartTls
    from ...tls.contexts import Contexts
    from ..shared import SharedTls

_IPV4, _IPV6 = (CONNECTIONS.cell(family) for family in ("ipv4", "ipv6"))
_SOUND_HEADER = PROXY_HEADERS.cell("ok")


class Metered:
    """The numbers of one worker. column: where it counts. log: what it loses is counted."""

    def __init__(self, column: Column, log: Log) -> None:
        self._column = column
        self._count = column.count
        log.on_loss = partial(column.count, LOG_LINES_LOST.first)

    def connection_log(self, log: Log, board: Scoreboard, limit: int) -> CountedLog:
        """The log of connections. log, board, limit: as ConnectionLog takes them."""
        return counted_log(log, board, limit, self._column)

    def note_sessions(self, gate: Gate) -> None:
        """Have a gate count what its sessions come to."""
        from .counted_session import maker

        gate.session_log = maker(self._column)

    def heard(self, server: str, went: Went, seconds: float) -> None:
        """Count a question to a store or a server. server: which. seconds: for which it was waited for."""
        self._count(SERVER_QUERIES.cell(server, went))
        if went is not Went.SKIPPED:
            self._count(SERVER_SECONDS.count(server))
            self._count(SERVER_SECONDS.sum(server), microseconds(seconds))

    def checker(self, checker: Checker) -> Checker:
        """Count the logins that are checked."""
        from .counted_logins import CountedChecker

        return CountedChecker(checker, self._column)

    def starttls(self, settings: "GateTls", contexts: "Contexts") -> "StartTls":
        """Make the STARTTLS of a gate that counts handshakes. settings, contexts: as StartTls takes them."""
        from .counted_tls import CountedStartTls, Handshakes

        return CountedStartTls(settings, contexts, Handshakes(self._column))

    def tls(self, shared: "SharedTls", *, wrapped: bool) -> Tls:
        """Make what counts the handshakes of clients. wrapped: they speak TLS from their first byte."""
        from .counted_tls import CountedFromTheFirstByte, CountedOnRequest, Handshakes

        return (CountedFromTheFirstByte if wrapped else CountedOnRequest)(shared, Handshakes(self._column))

    def serve(
        self,
        service: Service,
        connection: socket.SocketType,
        endpoints: Endpoints,
        place: Place | None = None,
        proxied: "Proxied | None" = None,
    ) -> Session:
        """Serve a client, as session.serve does, and count it; a proxy's own connections are none."""
        if proxied:
            self._count(_SOUND_HEADER)
        if not (proxied and proxied.is_local):
            self._count(_IPV6 if is_ipv6(endpoints.remote_ip) else _IPV4)
        return serve(service, connection, endpoints, place, proxied)
