"""All that is counted in a service, by name. Zones and screens have counters of their own, read as they are."""

from collections.abc import Iterable
from itertools import count

from .counted import Counter, Histogram

#: From a client that leaves at once to one that sends all night.
_PROGRAM_SECONDS = (0.01, 0.05, 0.25, 1.0, 5.0, 30.0, 120.0, 600.0, 3600.0)
#: In the order of decisions in the manual; the last is also what nobody has thought of.
_DECISIONS = ("ok", "deny", "limit", "shed", "refused", "greylisted", "left", "proxy_error", "tls_error", "drop")

CONNECTIONS = Counter(
    "ucspi_connections", "Clients that have come, by the family of their address.", (("family", ("ipv4", "ipv6")),), 0
)
DECISIONS = Counter(
    "ucspi_decisions",
    "What became of clients; ok = a program was started, left = a client of the gate that never got one.",
    (("decision", _DECISIONS),),
    CONNECTIONS.end,
)
LIMIT_HITS = Counter(
    "ucspi_limit_hits",
    "Clients turned away, by the limit that they were over.",
    (("limit", ("network", "rate", "load", "slots", "client")),),
    DECISIONS.end,
)
PROGRAM_EXITS = Counter(
    "ucspi_program_exits",
    "Programs that have ended, by exit code.",
    (("status", ("0", "100", "111", "signal", "other")),),
    LIMIT_HITS.end,
)
PROGRAM_SECONDS = Histogram("ucspi_program_seconds", "How long programs ran.", _PROGRAM_SECONDS, PROGRAM_EXITS.end)
PROXY_HEADERS = Counter(
    "ucspi_proxy_headers",
    "Connections of proxies, by whether they had a sound header.",
    (("result", ("ok", "error")),),
    PROGRAM_SECONDS.end,
)
LOG_LINES_LOST = Counter(
    "ucspi_log_lines_lost", "Lines that the reader of the log had no room for.", (), PROXY_HEADERS.end
)
WORKER_RESTARTS = Counter(
    "ucspi_worker_restarts", "Workers that ended by a failure or by a signal.", (), LOG_LINES_LOST.end
)
COUNTED = (
    CONNECTIONS,
    DECISIONS,
    LIMIT_HITS,
    PROGRAM_EXITS,
    PROGRAM_SECONDS,
    PROXY_HEADERS,
    LOG_LINES_LOST,
    WORKER_RESTARTS,
)
#: How many cells all of them have.
CELLS = COUNTED[-1].end


def status_of(wait_status: int) -> str:
    """The label of a program's end: djb's exit codes, what a signal has ended, and others.

    wait_status: raw, as wait(2) gives it.
    """
    if wait_status & 0x7F:
        return "signal"
    code = str(wait_status >> 8)
    return code if code in ("0", "100", "111") else "other"


def told_apart(names: Iterable[str]) -> list[str]:
    """Make names differ, for two samples may not be the same: the second ``x`` is ``x-2``."""
    told: list[str] = []
    for name in names:
        others = (f"{name}-{number}" for number in count(2))
        told.append(name if name not in told else next(other for other in others if other not in told))
    return told
