"""What all workers of a service share, made once at the start: as root in part, which is given up on the way."""

import contextlib
import os
import socket
from functools import partial
from typing import TYPE_CHECKING

from ...core.dns import message as dns_message
from ...core.dns.message import AnswerCallback, Ask
from ...core.gate import loglines as gate_loglines
from ...core.gate.settings import GateSettings
from ...core.rules import ipv6  # noqa: F401  an IPv6 client must meet rules without an import once root is given up
from ...core.service import loglines
from ...core.service.environment import passed_on
from ...core.service.settings import ServerSettings
from ..accept import listener
from ..accept.arrivals import Arrivals
from ..accept.client_events import ClientEvents
from ..accept.listener import Listener
from ..accept.scoreboard import Scoreboard
from ..backend import spawn
from ..dnsbl.shared_state import SharedZones
from ..gate import gate, parts
from ..process import descriptors, privileges, secrecy
from ..process.rlimits import room_for
from ..report.forms import open_log
from ..report.log import Log
from ..report.totals import SharedTotals
from ..screens import kinds
from ..supervisor.listeners import listeners
from .pipes import Pipes
from .shared import Shared, SharedMetrics, SharedTables, SharedTls, SharedTop

if TYPE_CHECKING:
    from ...core.service.handover import Handover
    from ..gate.logins.prepared import SharedLogins
    from ..guard.channel import Guarded


def furnished(
    settings: ServerSettings, attributes: spawn.SpawnAttributes, handed: "Handover | None", beat_seconds: float | None
) -> Shared:
    """Make what all workers share; as root, in part, which is given up on the way. Raises Failure.

    handed: what a server hands over, None = started as ever. beat_seconds: between a worker's signs of life, or None.
    """
    socks = tuple(map(listener.of_descriptor, handed.listeners)) if handed else listeners(settings)
    ask = _ask(settings)  # imports, while we may still read whatever root may
    import_the_rest(settings)
    log = open_log(settings.verbosity, settings.log_form)
    guarded = _handed_guard(settings, handed, log) or _guarded(settings, socks[0])
    tls = _tls(settings, log, guarded)
    logins = _logins(settings, log)
    metrics = _metrics(settings, socks[0], handed)
    asking_at = _asking_at(settings, handed)
    _become(settings, handed)
    if settings.program.gate:
        gate.check(settings.program.gate, log)
    if settings.print_port:
        _print_port(socks[0])
    descriptors.null_input_and_output()
    tables = _tables(settings)
    return Shared(
        settings=settings,
        log=log,
        listeners=socks,
        tables=tables,
        pipes=Pipes.open(),
        environment=passed_on(os.environb),
        spawn_attributes=attributes,
        ask=ask,
        guarded=guarded,
        tls=tls,
        logins=logins,
        beat_seconds=beat_seconds,
        metrics=metrics,
        top=_top(settings, asking_at, tables.board, socks),
    )


def _handed_guard(settings: ServerSettings, handed: "Handover | None", log: Log) -> "Guarded | None":
    """The guard that is handed over, as we could start none; None = there is none. Raises Failure."""
    if handed is None or handed.guard is None:
        return None
    from .restart.heir import guard_of

    return guard_of(settings, handed, log)


def _become(settings: ServerSettings, handed: "Handover | None") -> None:
    if not (handed and privileges.are(settings.uid, settings.gid)):
        privileges.become(settings.uid, settings.gid)
    if settings.keeps_secrets:
        secrecy.hide_memory()


def import_the_rest(settings: ServerSettings) -> None:
    """Import what workers will need; they can import nothing once root is given up."""
    kinds.import_libraries(settings.program.screens)
    if settings.program.gate:
        parts.import_libraries(settings.program.gate)
    if settings.proxies:
        from . import at_proxy  # noqa: F401
    if settings.fleet:
        from ..fleet.fleet import import_library

        import_library()


def _print_port(sock: Listener) -> None:
    with contextlib.suppress(OSError):  # as in C, nobody need be there to read it
        os.write(1, b"%d\n" % sock.getsockname()[1])


def _guarded(settings: ServerSettings, sock: Listener) -> "Guarded | None":
    """The guard, where one is asked for, which has the privileges that we still have. Raises Failure."""
    asked = settings.guard_and_keys
    if asked is None:
        return None
    from ..guard import client, key_client, start  # noqa: F401  workers can import nothing once root is given up

    opened = partial(open_log, settings.verbosity, settings.log_form)
    return start.start(asked, opened, os.environb, b"%d" % sock.getsockname()[1])


def _logins(settings: ServerSettings, log: Log) -> "SharedLogins | None":
    """What logins need of us, where there are any, while we may still read whatever root may. Raises Failure."""
    asked = settings.program.gate and settings.program.gate.logins
    if not asked:
        return None
    from ..gate.logins import prepared

    def complain(sentence: str) -> None:
        log.warn(gate_loglines.warning(sentence))

    return prepared.prepare(asked, settings.uid, settings.gid, complain)


def _metrics(settings: ServerSettings, sock: Listener, handed: "Handover | None") -> SharedMetrics | None:
    """What the numbers are counted in and where they are asked for, if anybody is to have them. Raises Failure."""
    asked = settings.counts
    if asked is None:
        return None
    from ..metrics import place
    from ..metrics.counters import Counters
    from .metrics import parts as counted
    from .metrics import telling  # noqa: F401  nothing can be imported once root is given up

    counted.import_libraries(settings)
    telling_at = None
    if handed and handed.metrics is not None:
        telling_at = _taken_over(handed.metrics)
    elif asked.place:
        telling_at = place.listen(asked.place, settings.uid, settings.gid)
    ip, port = sock.getsockname()[:2]
    return SharedMetrics(
        asked, Counters(settings.workers), telling_at, f"[{ip}]:{port}" if ":" in ip else f"{ip}:{port}"
    )


def _asking_at(settings: ServerSettings, handed: "Handover | None") -> socket.socket | None:
    """The socket for those who ask who is inside, if anybody may: root and our user alone. Raises Failure."""
    if settings.top is None:
        return None
    from ..accept import unix_listener
    from ..top.answering import BACKLOG
    from .top import showing, watching  # noqa: F401  nothing can be imported once root is given up

    if handed and handed.top is not None:
        return _taken_over(handed.top)
    access = unix_listener.Access(0o600, settings.uid, settings.gid)
    return unix_listener.listen(settings.top, socket.SOCK_STREAM, BACKLOG, access)


def _taken_over(descriptor: int) -> socket.socket:
    """What the server before us has listened on. descriptor: of the socket."""
    sock = socket.socket(fileno=descriptor)
    sock.setblocking(False)
    return sock


def _top(
    settings: ServerSettings, listener: socket.socket | None, board: Scoreboard, socks: tuple[Listener, ...]
) -> SharedTop | None:
    if settings.top is None or listener is None:
        return None
    from ..top.inside import Inside

    return SharedTop(settings.top, listener, Inside(board), tuple(sock.getsockname()[1] for sock in socks))


def _tables(settings: ServerSettings) -> SharedTables:
    return SharedTables(
        board=Scoreboard(settings.limit, room_for(settings.held_limit, settings.program.descriptors)),
        arrivals=Arrivals(settings.client_limits.period) if settings.client_limits.arrivals else None,
        events=_events(settings.program.gate),
        zones=SharedZones(len(settings.program.zones)),
        totals=SharedTotals(settings.program.totals_names),
    )


def _events(asked: GateSettings | None) -> ClientEvents | None:
    limits = asked.event_limits if asked else None
    return ClientEvents(limits.anvil_rate_time_unit) if limits and any(limits.rates) else None


def _ask(settings: ServerSettings) -> Ask:
    """The way to the name servers; where anything can ever be asked, dns is imported now, for all workers to share."""
    if not settings.asks_name_servers:
        return _nobody_knows
    from ..lookup import resolver

    return resolver.from_environment(min(settings.workers, settings.limit)).ask


def _tls(settings: ServerSettings, log: Log, guarded: "Guarded | None") -> SharedTls | None:
    """Keys and all that speaks TLS, loaded while we may still read whatever root may. Raises Failure.

    guarded: the guard, which reads the keys that come later; None = we may read them ourselves.
    """
    asked = settings.any_tls
    if asked is None:
        return None
    from ..gate.tls import starttls  # noqa: F401  for all workers to share
    from ..tls.contexts import Contexts
    from ..tls.keys import KeyFiles
    from . import at_tls  # noqa: F401

    contexts = Contexts(asked, lambda sentence: log.warn(loglines.warning(sentence)))
    if guarded and guarded.keys:
        from ..guard.key_client import GuardKeys

        contexts.use([os.dup(fd) for fd in guarded.keys])
        return SharedTls(asked, contexts, GuardKeys(guarded))
    files = KeyFiles(asked.pairs)
    contexts.use(files.changed() or ())
    return SharedTls(asked, contexts, files)


def _nobody_knows(_name: bytes, _kind: int, _deadline: float, callback: AnswerCallback) -> None:
    callback(dns_message.Absent())
