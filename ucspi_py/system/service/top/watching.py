"""What one worker notes of the clients that it serves, for whoever asks who is inside. Loaded only with --top."""

import os
import socket
import time
from contextvars import ContextVar
from functools import partial
from typing import TYPE_CHECKING

from ....core.client.connection import Endpoints
from ....core.dnsbl.answers import Result
from ....core.dnsbl.outcome import ScreenResult
from ....core.dnsbl.settings import DnsblSettings
from ....core.top.visitor import State, Visitor
from ....core.top.watch import UNWATCHED, Watch
from ...accept.scoreboard import Place
from ...backend.spawn_batch import Session
from ...dnsbl.judge import Zones
from ...dnsbl.query import Callback, Query
from ...gate.gate import Gate
from ...top.inside import Inside, Visit
from ..admission import Serve
from ..context import Service

if TYPE_CHECKING:
    from ....core.client.proxy.proxied import Proxied

#: The client that a task is for; None = none that has a place.
_NOW: ContextVar[Visit | None] = ContextVar("visit", default=None)


def current() -> Watch:
    """Who hears of the client that is served now."""
    return _NOW.get() or UNWATCHED


class Watching:
    """Hears of the client that is served now, whoever it is. See Watch, also for slot and pid.

    inside: where that is noted.
    """

    def __init__(self, inside: Inside) -> None:
        self._inside = inside

    def serving(self, serve: Serve) -> Serve:
        """Have clients noted that are served, each as long as it has its place."""

        def watched(
            service: Service,
            connection: socket.SocketType,
            endpoints: Endpoints,
            place: Place | None = None,
            proxied: "Proxied | None" = None,
        ) -> Session:
            served = serve(service, connection, endpoints, place, proxied)
            _NOW.set(None)
            if place is None or (proxied and proxied.is_local):
                return served
            inode = os.fstat(connection.fileno()).st_ino
            return _within(Visit(self._inside, place.row, *endpoints[2:], inode), served)

        return watched

    def note_sessions(self, gate: Gate) -> None:
        """Have a gate tell what its clients are at."""
        gate.watch = current

    def zones(self, zones: Zones) -> "WatchedZones":
        """Have it noted for which zones a client waits. zones: the way to them."""
        return WatchedZones(zones)

    def known(self, name: bytes | None, /) -> None:
        """See Watch."""
        current().known(name)

    def at(self, state: State, helo: bytes = b"", /) -> None:
        """See Watch."""
        current().at(state, helo)

    def waits(self, what: bytes, /) -> None:
        """See Watch."""
        current().waits(what)

    def logged_in(self, user: bytes, /) -> None:
        """See Watch."""
        current().logged_in(user)

    def took(self) -> None:
        """See Watch."""
        current().took()

    def started(self, slot: int, pid: int, ip: bytes, port: bytes, name: bytes | None, /) -> None:
        """See Watch."""
        visit = _NOW.get()
        if visit:
            visit.started(slot, pid, ip, port, name)
        else:
            since, inode = time.monotonic_ns(), self._inside.socket(slot)
            visitor = Visitor(since, os.getpid(), ip, int(port), State.PROGRAM, pid, inode, name=name or b"")
            self._inside.write(slot, visitor)


async def _within(visit: Visit, served: Session) -> None:
    _NOW.set(visit)
    try:
        await served
    finally:
        visit.close()


class WatchedZones:
    """The way to the zones, noting for which of them a client waits. See Zones."""

    def __init__(self, zones: Zones) -> None:
        self._zones = zones

    def ask_zone(self, inquiry: Query, callback: Callback) -> None:
        """See Zones."""
        visit = _NOW.get()
        if visit is None:
            self._zones.ask_zone(inquiry, callback)
            return
        visit.asks(inquiry.zone.alias)
        self._zones.ask_zone(inquiry, partial(_answered, visit, inquiry.zone.alias, callback))

    def note_result(self, settings: DnsblSettings, screened: ScreenResult) -> None:
        """See Zones."""
        self._zones.note_result(settings, screened)


def _answered(visit: Visit, zone: bytes, callback: Callback, result: Result) -> None:
    visit.answered(zone)
    callback(result)
