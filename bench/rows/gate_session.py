"""The rows of the gate's dialogue: sessions refused at RCPT, and small messages; then both with restriction lists.

Never looks at content.
"""

from dataclasses import replace
from functools import partial

import gates
import restrictions
from contenders import Server
from effort import Effort
from findings import Bar, Figures, Finding, compared
from restrictions import Restrictions
from rounds import interleaved
from workshop import ALLOWED_NET, Workshop

_AT_A_TIME = "20"
_ALL = ("ours", "tcpserver", "postfix")


def refused(workshop: Workshop, effort: Effort) -> list[Finding]:
    """Sessions whose only recipient is refused; for tcpserver a program does it that can say nothing else."""
    rates = _refusals(workshop, effort)
    work = "gate: refused at RCPT, 20 at a time"
    return [
        compared("gate-refused", work, "/s", rates, Bar(">=", 1.0, to="postfix")),
        compared("gate-refused-tcpserver", "  the same, to a static program", "/s", rates, Bar(">=", 2.0)),
    ]


def message(workshop: Workshop, effort: Effort) -> list[Finding]:
    """Sessions with one small message; Postfix, which queues it before it is discarded, is there for information."""
    rates = _letters(workshop, effort)
    finding = compared("gate-message", "gate: a message of 2 KB, 20 at a time", "/s", rates, Bar(">=", 0.75))
    return [replace(finding, note=gates.proxied(rates))]


def lists(workshop: Workshop, effort: Effort) -> list[Finding]:
    """Both with the restriction lists of a careful operator, which ask for domains and zones."""
    with restrictions.served(workshop) as served:
        refusals, letters = _refusals(workshop, effort, served), _letters(workshop, effort, served)
    return [
        compared("gate-lists-refused", "  refused at RCPT, with lists", "/s", refusals, Bar(">=", 0.7, to="postfix")),
        replace(
            compared("gate-lists-message", "  a message of 2 KB, with lists", "/s", letters, Bar(">=", 0.7)),
            note=gates.proxied(letters),
        ),
    ]


def _refusals(workshop: Workshop, effort: Effort, lists: Restrictions | None = None) -> Figures:
    with gates.standing(workshop, _ALL, backend=("refuse",), lists=lists) as servers:
        return _rates(workshop, servers, effort.rounds, "rcpt", effort.sessions)


def _letters(workshop: Workshop, effort: Effort, lists: Restrictions | None = None) -> Figures:
    with gates.standing(workshop, (*_ALL, "proxy"), lists=lists) as servers:
        return _rates(workshop, servers, effort.rounds, "message", effort.messages)


def _rates(workshop: Workshop, servers: dict[str, Server], rounds: int, mode: str, sessions: int) -> Figures:
    def rate(server: Server) -> float:
        options = ("-n", str(sessions), "-c", _AT_A_TIME, "-s", ALLOWED_NET)
        return workshop.load(mode, server.port, *options).all_served().rate

    return interleaved(rounds, {name: partial(rate, server) for name, server in servers.items()})
