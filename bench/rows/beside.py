"""What an option of pytcpserver costs: clients that are allowed and denied, with it and without. Screens nobody."""

import resource
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from statistics import median
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
    """An option. key: of its findings. words: in the table. load: options for its clients. note: on the rate.

    both: options of what it is beside, too.
    """

    key: str
    words: str
    options: Sequence[str]
    load: Sequence[str]
    note: str
    both: Sequence[str] = ()


def beside(workshop: Workshop, effort: Effort, asked: Asked) -> list[Finding]:
    """Clients a second with an option, beside those without it; 40 at a time."""
    made = ([ours("pytcpserver")], workshop, 200, [workshop.backend])
    without, with_it = djb_words(*made, asked.both), djb_words(*made, (*asked.both, *asked.options))
    with Server(without, {}, tells_port=True) as alone, Server(with_it, {}, tells_port=True) as optioned:
        found = []
        for name, net, clients, jobs in (
            ("allowed", ALLOWED_NET, effort.allowed, 1),
            ("denied", DENIED_NET, effort.denied, processors()),
        ):
            options = ("-n", str(clients), "-c", _AT_A_TIME, "-s", net, "-j", str(jobs))
            measures: dict[str, Callable[[], _Turn]] = {
                "alone": partial(_turn, workshop, alone, options),
                "optioned": partial(_turn, workshop, optioned, (*options, *asked.load)),
            }
            found.append(_finding(asked, name, interleaved(effort.rounds, measures)))
    return found


class _Turn(NamedTuple):
    """What one round gave: clients a second, and microseconds of processor for each, of the server and of its sender.

    A program that is started counts to neither.
    """

    rate: float
    server: float
    sender: float


def _turn(workshop: Workshop, server: Server, options: tuple[str, ...]) -> _Turn:
    by_server, by_sender = _taken_by(server.without_backends()), _sent()
    load = workshop.load("eof", server.port, *options).complete()
    microseconds = 1e6 / load.clients
    served, sent = _taken_by(server.without_backends()) - by_server, _sent() - by_sender
    return _Turn(load.rate, served * microseconds, sent * microseconds)


def _taken_by(pids: Sequence[int]) -> float:
    """Processor seconds that these processes have taken."""
    return sum(int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) for pid in pids) / 1e9


def _sent() -> float:
    """Processor seconds of all load generators so far."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def _finding(asked: Asked, name: str, turns: dict[str, list[_Turn]]) -> Finding:
    rates = {which: [turn.rate for turn in of] for which, of in turns.items()}
    alone, optioned = (_Turn(*map(median, zip(*turns[which], strict=True))) for which in ("alone", "optioned"))
    note = (
        f"{alone.rate:,.0f}/s {asked.note}; each takes {optioned.server:.1f} us of the server, not {alone.server:.1f},"
        f" and {optioned.sender:.1f} us of its sender, not {alone.sender:.1f}"
    )
    judged = ratio(rates["optioned"], rates["alone"])
    return Finding(f"{asked.key}-{name}", f"{name}, {asked.words}", "/s", optioned.rate, None, None, judged, _BAR, note)
