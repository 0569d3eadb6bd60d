"""What an option of pytcpserver costs: clients that are allowed and denied, with it and without. Screens nobody."""

from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

from contenders import Server, djb_words, ours
from effort import Effort
from findings import Bar, Finding, ratio
from machine import processors
from rounds import interleaved
from workshop import ALLOWED_NET, DENIED_NET, Workshop

_AT_A_TIME = "40"
_BAR = Bar(">=", 0.95)


class Asked(NamedTuple):
    """An option. key: of its findings. words: in the table. load: options for its clients. note: on the rate."""

    key: str
    words: str
    options: Sequence[str]
    load: Sequence[str]
    note: str


def beside(workshop: Workshop, effort: Effort, asked: Asked) -> list[Finding]:
    """Clients a second with an option, beside those without it; 40 at a time."""
    without = djb_words([ours("pytcpserver")], workshop, 200, [workshop.backend])
    with_it = djb_words([ours("pytcpserver"), *asked.options], workshop, 200, [workshop.backend])
    with Server(without, {}, tells_port=True) as alone, Server(with_it, {}, tells_port=True) as optioned:
        found = []
        for name, net, clients, jobs in (
            ("allowed", ALLOWED_NET, effort.allowed, 1),
            ("denied", DENIED_NET, effort.denied, processors()),
        ):
            options = ("-n", str(clients), "-c", _AT_A_TIME, "-s", net, "-j", str(jobs))
            measures = {
                "alone": partial(_rate, workshop, alone, options),
                "optioned": partial(_rate, workshop, optioned, (*options, *asked.load)),
            }
            found.append(_finding(asked, name, interleaved(effort.rounds, measures)))
    return found


def _rate(workshop: Workshop, server: Server, options: tuple[str, ...]) -> float:
    return workshop.load("eof", server.port, *options).complete().rate


def _finding(asked: Asked, name: str, rates: dict[str, list[float]]) -> Finding:
    alone, optioned = (sorted(rates[which])[len(rates[which]) // 2] for which in ("alone", "optioned"))
    judged = ratio(rates["optioned"], rates["alone"])
    note = f"{alone:,.0f}/s {asked.note}"
    return Finding(f"{asked.key}-{name}", f"{name}, {asked.words}", "/s", optioned, None, None, judged, _BAR, note)
