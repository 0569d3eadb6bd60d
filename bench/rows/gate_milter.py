"""The rows of milters: what one costs that only looks, what one adds to a message, what it takes to hold a large one.

The milter answers at once, so that all that is measured is ours.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from statistics import median

import gates
from contenders import Server
from effort import Effort
from findings import Bar, Finding, ratio
from peak import Peak
from rounds import interleaved
from workshop import ALLOWED_NET, Workshop

_AT_A_TIME = "20"
#: Small messages before the first look at the memory, as gate_content has them.
_WARM_UP = "200"
#: Large messages, one after the other.
_LARGE = "3"


def milters(workshop: Workshop, effort: Effort) -> list[Finding]:
    """All three, each beside a gate without milters, or for itself."""
    with _gates(workshop, "look", "add") as servers:
        rates = interleaved(
            effort.rounds, {kind: partial(_rate, workshop, servers[kind], effort) for kind in ("none", "look")}
        )
        took = interleaved(
            effort.rounds, {kind: partial(_took, workshop, servers[kind], effort) for kind in ("none", "add")}
        )
    return [_looking(rates["look"], rates["none"]), _adding(took["add"], took["none"]), _large(workshop, effort)]


def _looking(with_it: list[float], without: list[float]) -> Finding:
    work, note = "gate: a message past a milter that looks", f"to the gate without it, {median(without):,.0f}/s"
    judged = ratio(with_it, without)
    return Finding("gate-milter", work, "/s", median(with_it), None, None, judged, Bar(">=", 0.8), note)


def _adding(with_it: list[float], without: list[float]) -> Finding:
    """A milter that adds a header has the message held, as those that judge spam do."""
    added = median(one - other for one, other in zip(with_it, without, strict=True))
    work, note = "  p50 with one that adds a header", f"a session takes {median(without):.2f} ms without"
    return Finding("milter-added", work, "ms", median(with_it), None, None, added, Bar("<=", 2.0, "ms"), note)


def _large(workshop: Workshop, effort: Effort) -> Finding:
    """The most that a process of ours had more than before the first big message, each with another body then."""
    with gates.milting(workshop, "change") as server:
        workshop.load("message", server.port, "-n", _WARM_UP).all_served()
        peak = Peak(server.without_backends())
        options = ("-n", _LARGE, "-c", "1", "-m", str(effort.large_bytes))
        workshop.load("message", server.port, *options).all_served()
        growth = peak.growth() / 1024
    work = f"  growth while one changes {effort.large_bytes // 1_000_000} MB"
    return Finding("milter-large", work, "MB", growth, None, None, growth, Bar("<=", 2, "MB"))


@contextmanager
def _gates(workshop: Workshop, *kinds: str) -> Iterator[dict[str, Server]]:
    """Gates with a milter of each kind, and one without."""
    with ExitStack() as stack:
        yield {kind: stack.enter_context(gates.milting(workshop, kind)) for kind in ("none", *kinds)}


def _rate(workshop: Workshop, server: Server, effort: Effort) -> float:
    options = ("-n", str(effort.messages), "-c", _AT_A_TIME, "-s", ALLOWED_NET)
    return workshop.load("message", server.port, *options).all_served().rate


def _took(workshop: Workshop, server: Server, effort: Effort) -> float:
    """Milliseconds of a session with one message, with nobody else."""
    options = ("-n", str(effort.messages // 10), "-c", "1", "-s", ALLOWED_NET)
    return workshop.load("message", server.port, *options).all_served().end("p50")
