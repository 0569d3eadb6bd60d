"""All that is counted in a service, by name. Zones and screens have counters of their own, read as they are."""

from collections.abc import Iterable
from itertools import count

from .asked import Went
from .counted import Counted, Counter, Gauge, Histogram, Summary

#: From a client that leaves at once to one that sends all night.
_PROGRAM_SECONDS = (0.01, 0.05, 0.25, 1.0, 5.0, 30.0, 120.0, 600.0, 3600.0)
#: With a client beside us, and with one that is asked twice from the other side of the world.
_TLS_SECONDS = (0.01, 0.05, 0.25, 1.0, 5.0, 30.0)
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
OVERFLOW = Gauge(
    "ucspi_overflow_queue", "Clients that workers have accepted and that wait for room.", WORKER_RESTARTS.end
)
TLS_HANDSHAKES = Counter(
    "ucspi_tls_handshakes",
    "Handshakes of TLS, by its version; none = it failed.",
    (("version", ("TLSv1.2", "TLSv1.3", "none")),),
    OVERFLOW.end,
)
TLS_SECONDS = Histogram(
    "ucspi_tls_handshake_seconds", "How long handshakes took, failed ones too.", _TLS_SECONDS, TLS_HANDSHAKES.end
)
LOGINS = Counter(
    "ucspi_auth",
    "Logins that were checked; later = nobody could tell.",
    (("method", ("PLAIN", "LOGIN", "CRAM-MD5", "other")), ("result", ("yes", "no", "later"))),
    TLS_SECONDS.end,
)
LOGINS_WAITING = Gauge("ucspi_auth_waiting", "Logins that are being checked.", LOGINS.end)
REJECTS = Counter(
    "ucspi_smtp_rejects",
    "Commands that were refused at the gate.",
    (("stage", ("CONNECT", "HELO", "MAIL", "RCPT", "DATA")), ("code", ("4xx", "5xx"))),
    LOGINS_WAITING.end,
)
MESSAGES = Counter(
    "ucspi_smtp_messages",
    "Messages that came to their end at the gate, by why their client may send to anybody, if it may.",
    (("trust", ("none", "rule", "login", "certificate")), ("result", ("taken", "deferred", "refused"))),
    REJECTS.end,
)
MESSAGE_BYTES = Counter("ucspi_smtp_message_bytes", "Bytes of messages that were taken.", (), MESSAGES.end)
GREYLIST = Counter(
    "ucspi_greylist",
    "Visits of triplets at the gate, by how they came; error = let in, as the store could not be asked.",
    (("result", ("new", "early", "passed", "known", "error")),),
    MESSAGE_BYTES.end,
)
_SERVER = ("server", ("greylist", "ledger", "fleet", "policy", "milter"))
SERVER_QUERIES = Counter(
    "ucspi_server_queries",
    "Questions to stores and servers, by what became of them.",
    (_SERVER, ("result", tuple(Went))),
    GREYLIST.end,
)
SERVER_SECONDS = Summary(
    "ucspi_server_query_seconds", "How long stores and servers were waited for.", (_SERVER,), SERVER_QUERIES.end
)

#: What every service counts; where clients may speak TLS; where they may log in; at the gate; where it greylists; where
#: stores or policy services are asked.
ALWAYS: tuple[Counted, ...] = (
    CONNECTIONS,
    DECISIONS,
    LIMIT_HITS,
    PROGRAM_EXITS,
    PROGRAM_SECONDS,
    PROXY_HEADERS,
    LOG_LINES_LOST,
    WORKER_RESTARTS,
    OVERFLOW,
)
WITH_TLS: tuple[Counted, ...] = (TLS_HANDSHAKES, TLS_SECONDS)
WITH_LOGINS: tuple[Counted, ...] = (LOGINS, LOGINS_WAITING)
AT_GATE: tuple[Counted, ...] = (REJECTS, MESSAGES, MESSAGE_BYTES)
WITH_GREYLIST: tuple[Counted, ...] = (GREYLIST,)
WITH_SERVERS: tuple[Counted, ...] = (SERVER_QUERIES, SERVER_SECONDS)
COUNTED = (*ALWAYS, *WITH_TLS, *WITH_LOGINS, *AT_GATE, *WITH_GREYLIST, *WITH_SERVERS)
#: The cells of what a process takes along when it ends.
GAUGES = tuple(one.first for one in COUNTED if isinstance(one, Gauge))
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
