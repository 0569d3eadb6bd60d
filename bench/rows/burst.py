"""The row of a burst: many new clients at once before many zones, with a dead name server beside a good one."""

from functools import partial
from itertools import count
from statistics import median

import zones
from contenders import Server, standing
from effort import Effort
from findings import Bar, Finding, ratio
from rounds import interleaved
from workshop import Load, Workshop


def burst(workshop: Workshop, effort: Effort) -> list[Finding]:
    """Nobody who is listed comes in, and whoever is clean waits little longer than in C.

    For ours the first of two name servers is dead; rblsmtpd, which asks one zone after the other, has a good one alone.
    """
    limit = effort.burst + 50
    with zones.served(workshop, zones.MANY) as good, zones.dead_server() as dead:
        lame = {"DNSCACHEIP": f"{dead}.{good['DNSCACHEIP']}"}
        with (
            standing(workshop, limit=limit, zones=zones.MANY, environment=lame, only="ours") as ours,
            standing(workshop, limit=limit, zones=zones.MANY, environment=good, only="tcpserver") as theirs,
        ):
            clean = _clean(workshop, effort, ours | theirs)
            let_in = _let_in(workshop, effort, ours["ours"])
    return [
        Finding(
            "burst-banner",
            f"20 zones, {effort.burst} new at once, p99 to a banner",
            "ms",
            median(clean["ours"]),
            median(clean["tcpserver"]),
            None,
            ratio(clean["ours"], clean["tcpserver"]),
            Bar("<=", 1.5),
            "ours with one of two name servers dead, tcpserver with one that is well",
        ),
        Finding(
            "burst-listed",
            "  the same, listed by one zone: let in",
            "",
            let_in,
            None,
            None,
            let_in,
            Bar("<=", 0),
        ),
    ]


def _clean(workshop: Workshop, effort: Effort, servers: dict[str, Server]) -> dict[str, list[float]]:
    """Milliseconds to the banner for 99 of 100 clean clients, round by round."""
    nets = map(zones.clean_net, count())

    def p99(server: Server) -> float:
        return _load(workshop, server, effort, "eof", next(nets)).complete().banner("p99")

    return interleaved(effort.long_rounds, {name: partial(p99, server) for name, server in servers.items()})


def _let_in(workshop: Workshop, effort: Effort, server: Server) -> int:
    """How many of the listed clients were not refused."""
    nets = map(zones.listed_net, range(effort.long_rounds))
    return sum(_load(workshop, server, effort, "refused", net).cut_short for net in nets)


def _load(workshop: Workshop, server: Server, effort: Effort, mode: str, net: str) -> Load:
    options = ("-n", str(effort.burst), "-c", str(effort.burst), "-s", net)
    return workshop.load(mode, server.port, *options)
