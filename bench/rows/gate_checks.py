"""The row of messages that are looked into: how long others wait meanwhile, at most."""

import time

import gates
from contenders import Server
from effort import Effort
from findings import Bar, Finding
from workshop import Spoiled, Workshop

#: Bytes of the message, of which every line is looked at; and expressions, none of which matches.
_MESSAGE, _RULES = 10_000_000, 1_000
#: Each goes back over what it has read for as long as a line is long, and that is a line of base64.
_CATASTROPHIC = 20
_BAR = Bar("<=", 100, "ms")
#: Seconds until the message is on its way.
_PATIENCE = 20.0


def checks(workshop: Workshop, effort: Effort) -> list[Finding]:
    """Milliseconds to the banner of one worker, for the last of all clients, while it looks into one big message."""
    many = [f"/spam word {number} .* here$/ REJECT" for number in range(_RULES)]
    odd = [f"/^([A-Za-z0-9]+)+!{number}$/ REJECT" for number in range(_CATASTROPHIC)]
    return [
        _finding(
            "gate-checks", f"gate: longest wait while {_RULES} expressions check", _longest(workshop, effort, many)
        ),
        _finding("gate-checks-odd", "  while catastrophic ones do", _longest(workshop, effort, odd)),
    ]


def _finding(name: str, work: str, longest: float) -> Finding:
    return Finding(name, work, "ms", longest, None, None, longest, _BAR)


def _longest(workshop: Workshop, effort: Effort, rules: list[str]) -> float:
    with gates.checking(workshop, rules) as server:
        workshop.load("smtp", server.port, "-n", "1").all_served()  # its worker has read the table
        alone = len(server.family())
        with workshop.pushing(server.port, 1, _MESSAGE):
            _wait_for_backend(server, alone)
            load = workshop.load("smtp", server.port, "-n", str(effort.knocks), "-c", "1")
            return load.all_served().banner("max")


def _wait_for_backend(server: Server, alone: int) -> None:
    """Raises Spoiled where it does not come."""
    end = time.monotonic() + _PATIENCE
    while len(server.family()) <= alone:
        if time.monotonic() > end:
            raise Spoiled("no message is on its way")
        time.sleep(0.01)
