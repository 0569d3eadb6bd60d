"""What the master hands to each of its workers, made once before any of them is forked. Never does anything."""

import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from ...core.dns.message import Ask
from ...core.service.settings import ServerSettings
from ...core.tls.settings import TlsSettings
from ..accept.arrivals import Arrivals
from ..accept.client_events import ClientEvents
from ..accept.listener import Listener
from ..accept.scoreboard import Scoreboard
from ..backend.spawn import SpawnAttributes
from ..dnsbl.shared_state import SharedZones
from ..report.log import Log
from ..report.totals import SharedTotals
from .pipes import Pipes

if TYPE_CHECKING:
    from ...core.metrics.settings import MetricsSettings
    from ..gate.logins.prepared import SharedLogins
    from ..guard.channel import Guarded
    from ..metrics.counters import Counters
    from ..tls.contexts import Contexts
    from ..tls.keys import KeySource
    from ..top.inside import Inside


@dataclass(frozen=True, slots=True)
class SharedTables:
    """What all processes of the service count in, in memory that they share. arrivals, events: None = not counted."""

    board: Scoreboard
    arrivals: Arrivals | None
    events: ClientEvents | None
    zones: SharedZones
    totals: SharedTotals


class SharedTls(NamedTuple):
    """The TLS of a service, with the keys that there were at the start. source: of those that come later."""

    settings: TlsSettings
    contexts: "Contexts"
    source: "KeySource"


class SharedMetrics(NamedTuple):
    """The numbers of a service. service: their label, which tells it from others of the host.

    listener: where scrapers ask; None = nowhere.
    """

    settings: "MetricsSettings"
    counters: "Counters"
    listener: socket.socket | None
    service: str


class SharedTop(NamedTuple):
    """Who is inside, and where that is asked. path, listener: of the socket. ports: those that the service has."""

    path: str
    listener: socket.socket
    inside: "Inside"
    ports: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Shared:
    """All that a worker begins with.

    listeners: of the hosts and ports, in their order. environment: what every program gets. spawn_attributes: how every
    program is started. ask: the way to the name servers; it knows nothing where nothing is ever asked. guarded: the
    guard, None = none was asked for. tls: None = nobody speaks it. logins: None = nobody may log in. beat_seconds:
    after which a worker says again that it serves, None = never. metrics: None = nothing is counted for anybody. top:
    None = nobody asks who is inside; where somebody does, there are metrics as well.
    """

    settings: ServerSettings
    log: Log
    listeners: tuple[Listener, ...]
    tables: SharedTables
    pipes: Pipes
    environment: dict[bytes, bytes]
    spawn_attributes: SpawnAttributes
    ask: Ask
    guarded: "Guarded | None" = None
    tls: "SharedTls | None" = None
    logins: "SharedLogins | None" = None
    beat_seconds: float | None = None
    metrics: "SharedMetrics | None" = None
    top: "SharedTop | None" = None
