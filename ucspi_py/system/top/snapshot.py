"""A service at one moment, as a value that becomes JSON. Never sends it."""

import os
import time
from collections.abc import Callable
from typing import Any, NamedTuple

from ...core.dnsbl import breaker
from ...core.service.settings import ServerSettings
from ...core.text import shown
from ...core.top.rates import Rates
from ...core.top.sockets import Traffic
from ...core.top.visitor import Visitor
from ..accept.scoreboard import Scoreboard
from ..dnsbl.shared_state import SharedZones
from .inside import Inside
from .traffic import by_inode

_NANO = 1_000_000_000


class Sources(NamedTuple):
    """What is shown of a service.

    service: its address and port. ports: all of its. sums: what its workers count, by name. standing: how many of them
    serve. inside: who is.
    """

    settings: ServerSettings
    service: str
    ports: tuple[int, ...]
    board: Scoreboard
    zones: SharedZones
    inside: Inside
    sums: Callable[[], dict[str, int]]
    standing: Callable[[], int]


class Snapshots:
    """Takes snapshots of a service. sources: what they show."""

    def __init__(self, sources: Sources) -> None:
        self._sources = sources
        self._rates = Rates()

    def note(self) -> None:
        """Take the sums from which rates are made, to be called every second."""
        self._rates.note(time.monotonic(), self._sources.sums())

    def take(self) -> dict[str, Any]:
        """The service as it is now, clients that have been there longest first."""
        sources, sums = self._sources, self._sources.sums()
        board, settings = sources.board, sources.settings
        visitors = sorted(sources.inside.visitors())
        traffic = by_inode(sources.ports) if visitors else {}
        return {
            "service": sources.service,
            "master": os.getppid(),
            "workers": sources.standing(),
            "slots": {"used": board.running(), "limit": settings.limit},
            "held": {"used": len(board.pending) - board.free(board.pending), "limit": len(board.pending)},
            "totals": sums,
            "per_second": self._rates.per_second(time.monotonic(), sums),
            "zones": self._zones(),
            "clients": [_client(visitor, traffic.get(visitor.socket)) for visitor in visitors],
        }

    def _zones(self) -> list[dict[str, Any]]:
        zones, now = self._sources.zones, time.monotonic()
        told = []
        for number, (zone, record) in enumerate(
            zip(self._sources.settings.program.zones, zones.records(), strict=True)
        ):
            is_up = breaker.is_up(zones.standing(number), now)
            told.append({"zone": shown(zone.alias), "up": is_up, **record.totals()})
        return told


def _client(visitor: Visitor, traffic: Traffic | None) -> dict[str, Any]:
    """A client; null = not known. What clients choose has no control characters any more."""
    return {
        "client": shown(visitor.ip),
        "port": visitor.port,
        "name": shown(visitor.name) or None,
        "helo": shown(visitor.helo) or None,
        "user": shown(visitor.user) or None,
        "state": visitor.state.name.lower(),
        "waits_for": shown(visitor.waits) or None,
        "seconds": round(max(0, time.monotonic_ns() - visitor.since) / _NANO, 1),
        "bytes_received": traffic and traffic.received,
        "bytes_sent": traffic and traffic.sent,
        "messages": visitor.messages,
        "worker": visitor.worker,
        "program": visitor.program or None,
    }
