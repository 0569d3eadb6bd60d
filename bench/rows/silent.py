"""The row of a zone that does not answer: what its silence costs a clean client. Never asks a zone itself."""

from collections.abc import Iterator
from functools import partial
from itertools import count
from statistics import median

import zones
from contenders import Server, standing
from effort import Effort
from findings import Bar, Finding, ratio
from rounds import interleaved
from workshop import Load, Workshop

#: Seconds that all zones together have for a client (-d), and what a busy machine may add.
_DEADLINE, _SLACK = 5.0, 1.05
#: Clients that have to wait until the zone is left alone.
_VICTIMS = 8


def silent_zone(workshop: Workshop, effort: Effort) -> list[Finding]:
    """The first clients wait for the deadline; once the zone is left alone, the others wait as for one zone."""
    environment = {"DNSCACHEIP": zones.HALF_SILENT}
    with (
        zones.half_silent(),
        standing(workshop, zones=zones.NAMES[:1], environment=environment, only="ours") as alone,
        standing(workshop, zones=zones.NAMES, environment=environment, only="ours") as both,
    ):
        waited = _load(workshop, both["ours"], _VICTIMS, 1, at_a_time=_VICTIMS).banner("max")
        nets = count(2)
        measures = {
            name: partial(_median_banner, workshop, servers["ours"], effort, nets)
            for name, servers in (("alone", alone), ("both", both))
        }
        banners = interleaved(effort.rounds, measures)
    most = 1000 * _DEADLINE
    return [
        Finding(
            "silent-zone",
            "one of two zones silent: first banners",
            "ms",
            waited,
            None,
            None,
            waited / most,
            Bar("<=", _SLACK),
            f"to the deadline of {_DEADLINE:.0f} s; rblsmtpd waits 60 s, for every client",
        ),
        Finding(
            "silent-zone-left",
            "  the same, once the zone is left alone",
            "ms",
            median(banners["both"]),
            None,
            None,
            ratio(banners["both"], banners["alone"]),
            Bar("<=", 1.25),
            f"to {median(banners['alone']):.2f} ms with one zone",
        ),
    ]


def _median_banner(workshop: Workshop, server: Server, effort: Effort, nets: Iterator[int]) -> float:
    return _load(workshop, server, effort.knocks, next(nets)).banner("p50")


def _load(workshop: Workshop, server: Server, clients: int, net: int, at_a_time: int = 1) -> Load:
    options = ("-n", str(clients), "-c", str(at_a_time), "-s", zones.clean_net(net))
    return workshop.load("eof", server.port, *options).complete()
