"""The rows of a proxy: what its header costs, clients that are allowed and denied. Never screens anybody."""

from functools import partial

from contenders import Server, djb_words, ours
from effort import Effort
from findings import Bar, Finding, ratio
from machine import processors
from rounds import interleaved
from workshop import ALLOWED_NET, DENIED_NET, Workshop

_AT_A_TIME = "40"
_BAR = Bar(">=", 0.95)


def headers(workshop: Workshop, effort: Effort) -> list[Finding]:
    """Clients a second that come by a proxy, beside those that come themselves; 40 at a time."""
    come = djb_words([ours("pytcpserver")], workshop, 200, [workshop.backend])
    by_proxy = djb_words(
        [ours("pytcpserver"), "--proxy-from", f"{ALLOWED_NET},{DENIED_NET}"], workshop, 200, [workshop.backend]
    )
    with Server(come, {}, tells_port=True) as alone, Server(by_proxy, {}, tells_port=True) as proxied:
        found = []
        for name, net, clients, jobs in (
            ("allowed", ALLOWED_NET, effort.allowed, 1),
            ("denied", DENIED_NET, effort.denied, processors()),
        ):
            options = ("-n", str(clients), "-c", _AT_A_TIME, "-s", net, "-j", str(jobs))
            measures = {
                "alone": partial(_rate, workshop, alone, options),
                "proxied": partial(_rate, workshop, proxied, (*options, "-p")),
            }
            found.append(_finding(name, interleaved(effort.rounds, measures)))
    return found


def _rate(workshop: Workshop, server: Server, options: tuple[str, ...]) -> float:
    return workshop.load("eof", server.port, *options).complete().rate


def _finding(name: str, rates: dict[str, list[float]]) -> Finding:
    alone, proxied = (sorted(rates[which])[len(rates[which]) // 2] for which in ("alone", "proxied"))
    judged = ratio(rates["proxied"], rates["alone"])
    note = f"{alone:,.0f}/s without a header, which also costs its sender a packet, on the same processors"
    return Finding(f"proxied-{name}", f"{name}, by a proxy", "/s", proxied, None, None, judged, _BAR, note)
