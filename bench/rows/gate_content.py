"""The rows of big messages through the gate: how fast, in how much memory, and who has to wait for it meanwhile."""

import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from statistics import median
from typing import NamedTuple

import gates
from contenders import Server
from effort import Effort
from findings import Bar, Finding, compared, ratio
from peak import Peak
from rounds import interleaved
from workshop import Spoiled, Workshop

_BOTH = ("ours", "tcpserver")
_ALL = (*_BOTH, "proxy")
_AT_A_TIME = "4"
#: Clients that push, and how many of them have a backend at any time: the others come or go.
_PUSHERS, _PUSHING = 20, 15
#: Small messages before the first look at the memory, so that what is made once and kept is not taken for growth.
_WARM_UP = "200"
#: Seconds until the pushers have their backends, or have lost them.
_PATIENCE = 20.0


class _Banners(NamedTuple):
    """Milliseconds to the banner for 99 of 100 clients, one after the other, with nobody else and among pushers."""

    idle: float
    busy: float


def large(workshop: Workshop, effort: Effort) -> list[Finding]:
    """Megabytes a second, and the most that a process of ours had more than before the first big message."""
    with gates.standing(workshop, _ALL) as servers:
        workshop.load("message", servers["ours"].port, "-n", _WARM_UP).all_served()
        peak = Peak(servers["ours"].without_backends())
        measures = {name: partial(_megabytes, workshop, server, effort) for name, server in servers.items()}
        rates = interleaved(effort.rounds, measures)
        growth = peak.growth() / 1024
    megabytes = effort.large_bytes // 1_000_000
    work = f"gate: messages of {megabytes} MB, {_AT_A_TIME} at a time"
    return [
        replace(compared("gate-large", work, "MB/s", rates, Bar(">=", 0.5)), note=gates.proxied(rates)),
        Finding(
            "gate-large-memory",
            "  growth of a worker meanwhile",
            "MB",
            growth,
            None,
            None,
            growth,
            Bar("<=", 1, "MB"),
        ),
    ]


def busy(workshop: Workshop, effort: Effort) -> list[Finding]:
    """How long a new client waits for its banner while others push big messages; judged by how long it waits alone."""
    with gates.standing(workshop, _BOTH) as servers:
        measures = {name: partial(_banners, workshop, server, effort) for name, server in servers.items()}
        banners = interleaved(effort.long_rounds, measures)
    busy = {name: [turn.busy for turn in turns] for name, turns in banners.items()}
    idle = {name: [turn.idle for turn in turns] for name, turns in banners.items()}
    return [
        Finding(
            "gate-busy",
            f"gate: p99 to a banner while {_PUSHERS} push",
            "ms",
            median(busy["ours"]),
            median(busy["tcpserver"]),
            None,
            ratio(busy["ours"], idle["ours"]),
            Bar("<=", 5.0),
            f"to ours with nobody else, {median(idle['ours']):.2f} ms; tcpserver, too, is slower"
            f" {ratio(busy['tcpserver'], idle['tcpserver']):.1f} times then",
        )
    ]


def _megabytes(workshop: Workshop, server: Server, effort: Effort) -> float:
    options = ("-n", str(effort.large), "-c", _AT_A_TIME, "-m", str(effort.large_bytes))
    return workshop.load("message", server.port, *options).all_served().rate * effort.large_bytes / 1e6


def _banners(workshop: Workshop, server: Server, effort: Effort) -> _Banners:
    idle = _knock(workshop, server, effort)
    alone = len(server.family())
    with workshop.pushing(server.port, _PUSHERS, effort.large_bytes):
        _wait_until(server, lambda processes: processes >= alone + _PUSHING)
        busy = _knock(workshop, server, effort)
        _wait_until(server, lambda processes: processes >= alone + _PUSHING)
    _wait_until(server, lambda processes: processes <= alone)
    return _Banners(idle, busy)


def _knock(workshop: Workshop, server: Server, effort: Effort) -> float:
    options = ("-n", str(effort.knocks), "-c", "1")
    return workshop.load("smtp", server.port, *options).all_served().banner("p99")


def _wait_until(server: Server, are_right: Callable[[int], bool]) -> None:
    """Until the server has the right number of processes. Raises Spoiled where that does not come."""
    end = time.monotonic() + _PATIENCE
    while not are_right(processes := len(server.family())):
        if time.monotonic() > end:
            raise Spoiled(f"the backends are too many or too few, of {processes} processes in all")
        time.sleep(0.01)
