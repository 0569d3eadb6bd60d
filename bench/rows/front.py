"""The rows of the acceptor: allowed, denied and offered clients. Never screens anybody."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import NamedTuple

from contenders import Server, bare, standing
from effort import Effort
from findings import Bar, Finding, compared, ratio
from machine import processors
from rounds import interleaved
from workshop import ALLOWED_NET, DENIED_NET, Load, Workshop

_AT_A_TIME = "40"
#: Seconds after which a client of the rush is given up: the kernel has sent its SYN four times by then.
_RUSH_PATIENCE = 12


class _Pace(NamedTuple):
    """What one round gave: clients a second, and milliseconds to the banner for 99 of 100."""

    rate: float
    p99: float


def allowed(workshop: Workshop, effort: Effort) -> list[Finding]:
    """Clients that the rules let in, 40 at a time: as fast as C, close to the machine's limit, and none much later."""
    with standing(workshop) as servers, bare(workshop) as bare_acceptor:
        measures: dict[str, Callable[[], _Pace]] = {
            name: partial(_served, workshop, server, effort)
            for name, server in {**servers, "bare": bare_acceptor}.items()
        }
        measures["limit"] = lambda: _Pace(workshop.spawn_limit(effort.spawn_seconds), 0)
        paces = interleaved(effort.rounds, measures)
    rates = {name: [pace.rate for pace in turns] for name, turns in paces.items()}
    late = {name: [pace.p99 for pace in turns] for name, turns in paces.items()}
    limit = sorted(rates["limit"])[len(rates["limit"]) // 2]
    rate = compared("allowed", "allowed, 40 at a time", "/s", rates, Bar(">=", 1.0))
    return [
        rate,
        Finding(
            "spawn-limit",
            "  the same, to the spawn limit",
            "/s",
            rate.ours,
            rate.tcpserver,
            rate.tcpsvd,
            ratio(rates["ours"], rates["limit"]),
            Bar(">=", 0.9),
            f"spawn limit {limit:,.0f}/s, of which tcpserver reaches {ratio(rates['tcpserver'], rates['limit']):.2f}"
            f" and a bare loop of C {ratio(rates['bare'], rates['limit']):.2f}",
        ),
        compared("banner-p99", "  the same, p99 to the banner", "ms", late, Bar("<=", 1.0)),
    ]


def denied(workshop: Workshop, effort: Effort) -> list[Finding]:
    """Clients that a rule turns away."""
    with standing(workshop) as servers:
        measures = {name: partial(_turned_away, workshop, server, effort) for name, server in servers.items()}
        rates = interleaved(effort.rounds, measures)
    return [compared("denied", "denied by a rule, 40 at a time", "/s", rates, Bar(">=", 4.0))]


def offered(workshop: Workshop, effort: Effort) -> list[Finding]:
    """Clients that all come within one second while only 40 may be served at once."""
    with standing(workshop, limit=40) as servers:
        measures = {name: partial(_offered, workshop, server, effort) for name, server in servers.items()}
        loads = interleaved(effort.long_rounds, measures)
    lost = {name: float(sum(load.lost for load in turns)) for name, turns in loads.items()}
    late = {name: [_rush_p99(load) for load in turns] for name, turns in loads.items()}
    p99 = compared("offered-p99", "  the same, p99 to the banner", "ms", late, Bar("<=", 1.0))
    work = f"{effort.offered:,} offered within 1 s, -c 40"
    return [
        Finding(
            "offered",
            f"{work}: not served",
            "lost",
            lost["ours"],
            lost["tcpserver"],
            lost.get("tcpsvd"),
            lost["ours"],
            Bar("<=", 0, "lost"),
        ),
        replace(p99, note=f"who is not served counts with {_RUSH_PATIENCE} s"),
    ]


def _served(workshop: Workshop, server: Server, effort: Effort) -> _Pace:
    load = _load(workshop, server, effort.allowed, ALLOWED_NET)
    return _Pace(load.rate, load.banner("p99"))


def _turned_away(workshop: Workshop, server: Server, effort: Effort) -> float:
    # one process of the load generator would be the slowest here
    return _load(workshop, server, effort.denied, DENIED_NET, processors()).rate


def _load(workshop: Workshop, server: Server, clients: int, net: str, jobs: int = 1) -> Load:
    options = ("-n", str(clients), "-c", _AT_A_TIME, "-s", net, "-j", str(jobs))
    return workshop.load("eof", server.port, *options).complete()


def _offered(workshop: Workshop, server: Server, effort: Effort) -> Load:
    options = ("-n", str(effort.offered), "-t", "1", "-s", ALLOWED_NET)
    return workshop.load("eof", server.port, *options, patience=_RUSH_PATIENCE)


def _rush_p99(load: Load) -> float:
    """Milliseconds to the banner for 99 of 100 of all that came, not only of those that were served."""
    return load.banner("p99") if load.lost * 100 <= load.clients else _RUSH_PATIENCE * 1000.0
