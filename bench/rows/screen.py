"""The rows of the screen: clean, listed and held clients of two DNS zones. Never asks a zone itself."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from itertools import count
from typing import NamedTuple

import zones
from contenders import Server, standing
from effort import Effort
from findings import Bar, Finding, compared
from rounds import interleaved
from workshop import Workshop

_AT_A_TIME = "40"


class _Visits(NamedTuple):
    """What clients do in a row, and what is asked of us. nets: where the clients of the next load come from."""

    name: str
    work: str
    mode: str
    nets: Iterator[str]
    at_least: float


class _Knocks(NamedTuple):
    """Good clients one after the other: the part that was served, and milliseconds to the banner for 99 of 100."""

    part: float
    p99: float | None


def clean_warm(workshop: Workshop, effort: Effort) -> list[Finding]:
    """Clean clients that come again and again."""
    nets = (zones.clean_net(0, 26) for _ in count())
    return _rated(workshop, effort, _Visits("clean-warm", "two zones, clean, the same 62 clients", "eof", nets, 1.6))


def clean_new(workshop: Workshop, effort: Effort) -> list[Finding]:
    """Clean clients, every one a new address."""
    nets = map(zones.clean_net, count(1))
    return _rated(workshop, effort, _Visits("clean-new", "two zones, clean, every client new", "eof", nets, 1.5))


def listed(workshop: Workshop, effort: Effort) -> list[Finding]:
    """Listed clients, every one a new address, with the whole session that a refused client has."""
    nets = map(zones.listed_net, count(1))
    return _rated(workshop, effort, _Visits("listed", "two zones, listed, every client new", "refused", nets, 3.0))


def held_memory(workshop: Workshop, effort: Effort) -> list[Finding]:
    """What a refused client that stays costs in memory of processes."""
    kilobytes, notes = {}, []
    for name in ("ours", "tcpserver"):
        with _screening(workshop, limit=effort.held + 100, only=name) as servers:
            server = servers[name]
            workshop.load("refused", server.port, "-n", "100", "-s", zones.listed_net(1)).complete()
            idle = server.pss()
            with workshop.holding(server.port, *_crowd(effort), patience=effort.hold_seconds) as crowd:
                kilobytes[name] = [(server.pss() - idle) / max(1, crowd.served)]
            if crowd.served < effort.held:
                notes.append(f"{name} held {crowd.served:,} only")
    finding = compared("held-memory", f"a held client, {effort.held:,} held, PSS", "KB", kilobytes, Bar("<=", 0.125))
    return [replace(finding, note="; ".join(notes))]


def held_banner(workshop: Workshop, effort: Effort) -> list[Finding]:
    """How long a good client waits for its banner while a crowd is held; judged by how long it waits without."""
    idle, crowded, notes = {}, {}, []
    with _screening(workshop, limit=40) as servers:
        for name, server in servers.items():
            # The crowd comes first: after many who are clean, a zone that lists everybody would not be believed.
            with workshop.holding(server.port, *_crowd(effort), patience=effort.hold_seconds) as crowd:
                crowded[name] = _knock(workshop, server, effort, 2)
            _knock(workshop, server, effort, 3)  # until the last of the crowd has left
            idle[name] = _knock(workshop, server, effort, 1)
            notes.append(f"{name} holds {crowd.served:,} and serves {crowded[name].part:.0%}")
    ours, alone = crowded["ours"], idle["ours"]
    return [
        Finding(
            "held-banner",
            f"p99 to a good banner, {effort.held:,} held",
            "ms",
            ours.p99,
            crowded["tcpserver"].p99,
            None,
            ours.p99 / alone.p99 if ours.part == 1 and ours.p99 and alone.p99 else None,
            Bar("<=", 2.0),
            f"to ours with nobody held; {', '.join(notes)} of the good ones within {effort.knock_seconds:.0f} s",
        )
    ]


@contextmanager
def _screening(workshop: Workshop, *, limit: int = 200, only: str | None = None) -> Iterator[dict[str, Server]]:
    with (
        zones.served(workshop) as environment,
        standing(workshop, limit=limit, zones=zones.NAMES, environment=environment, only=only) as servers,
    ):
        yield servers


def _rated(workshop: Workshop, effort: Effort, visits: _Visits) -> list[Finding]:
    with _screening(workshop) as servers:
        measures = {name: partial(_rate, workshop, server, effort, visits) for name, server in servers.items()}
        rates = interleaved(effort.rounds, measures)
    return [compared(visits.name, visits.work, "/s", rates, Bar(">=", visits.at_least))]


def _rate(workshop: Workshop, server: Server, effort: Effort, visits: _Visits) -> float:
    options = ("-n", str(effort.screened), "-c", _AT_A_TIME, "-s", next(visits.nets))
    return workshop.load(visits.mode, server.port, *options).complete().rate


def _knock(workshop: Workshop, server: Server, effort: Effort, net: int) -> _Knocks:
    options = ("-n", str(effort.knocks), "-c", "1", "-s", zones.clean_net(net))
    load = workshop.load("eof", server.port, *options, patience=effort.knock_seconds)
    return _Knocks(load.served / load.clients, load.banner("p99") if load.served else None)


def _crowd(effort: Effort) -> tuple[str, ...]:
    return "-n", str(effort.held), "-s", zones.listed_net(0)
