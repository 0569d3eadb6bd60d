"""The log of connections, with all that it tells of counted as well, whether it is written or not. Never decides."""

import time

from ...core.client import limits
from ...core.client.connection import Endpoints, Names
from ...core.metrics import names
from ...core.metrics.names import DECISIONS, LIMIT_HITS, OVERFLOW, PROGRAM_EXITS, PROGRAM_SECONDS, PROXY_HEADERS
from ..accept.scoreboard import Scoreboard
from ..report.connection_log import ConnectionLog
from ..report.log import Log
from .counters import Column

_OK, _DENY, _LIMIT, _SHED, _REFUSED, _GREYLISTED, _LEFT, _PROXY_ERROR, _TLS_ERROR, _DROP = range(
    DECISIONS.first, DECISIONS.end
)
_NO_HEADER = PROXY_HEADERS.cell("error")
#: How the line of a greylist's refusal begins (core/smtp/loglines.py, refused).
_BY_GREYLIST = b"greylist: "


class CountedLog(ConnectionLog):
    """Counts in a column. See ConnectionLog, for its methods, too. limit: as there."""

    def __init__(self, log: Log, board: Scoreboard, limit: int, column: Column) -> None:
        super().__init__(log, board, limit)
        self._count = column.count
        self._observe = column.observe
        self._move = column.move
        self._began: dict[int, float] = {}

    def started(self, pid: int, endpoints: Endpoints, names: Names) -> None:
        """Count a program. pid: its process id."""
        self._count(_OK)
        self._began[pid] = time.monotonic()
        super().started(pid, endpoints, names)

    def ended(self, pid: int, wait_status: int) -> None:
        """Count the end of a program, and how long it ran, unless a worker that has died had started it.

        pid: its process id. wait_status: raw, as wait(2) gives it.
        """
        self._count(PROGRAM_EXITS.cell(names.status_of(wait_status)))
        began = self._began.pop(pid, None)
        if began is not None:
            self._observe(PROGRAM_SECONDS, time.monotonic() - began)
        super().ended(pid, wait_status)

    def denied(self, endpoints: Endpoints, names: Names) -> None:
        """Count a client that a rule denies."""
        self._count(_DENY)
        super().denied(endpoints, names)

    def refused(self, endpoints: Endpoints, names: Names, line: bytes) -> None:
        """Count a client that a screen refuses."""
        self._count(_GREYLISTED if line.startswith(_BY_GREYLIST) else _REFUSED)
        super().refused(endpoints, names, line)

    def parted(self, endpoints: Endpoints, names: Names) -> None:
        """Count a client of the gate that has never had a program."""
        self._count(_LEFT)
        super().parted(endpoints, names)

    def dropped(self, endpoints: Endpoints, sentence: str) -> None:
        """Count a client that a failure of ours cost its connection."""
        self._count(_DROP)
        super().dropped(endpoints, sentence)

    def crashed(self, endpoints: Endpoints, what: str) -> None:
        """Count a client that an unexpected error cost its connection."""
        self._count(_DROP)
        super().crashed(endpoints, what)

    def not_run(self, endpoints: Endpoints, names: Names, sentence: str) -> None:
        """Count a client whose program cannot be run."""
        self._count(_DROP)
        super().not_run(endpoints, names, sentence)

    def not_forked(self, why: str) -> None:
        """Count a client for whose program there is no room."""
        self._count(_DROP)
        super().not_forked(why)

    def unsecured(self, endpoints: Endpoints, reason: str, *, has_program: bool = False) -> None:
        """Count a client with which no TLS can be spoken, unless it is counted for its program."""
        if not has_program:
            self._count(_TLS_ERROR)
        super().unsecured(endpoints, reason, has_program=has_program)

    def without_header(self, ip: bytes, reason: str) -> None:
        """Count a connection without a sound header of a proxy."""
        self._count(_PROXY_ERROR)
        self._count(_NO_HEADER)
        super().without_header(ip, reason)

    def waits(self, more: int) -> None:
        """Count clients that wait for room. more: by how many, below 0 = fewer."""
        self._move(OVERFLOW.first, more)

    def turned_away(self, endpoints: Endpoints, reason: bytes) -> None:
        """Count a client over a limit, and that limit."""
        limit = limits.limit_of(reason)
        self._count(_SHED if limit == "slots" else _LIMIT)
        self._count(LIMIT_HITS.cell(limit))
        super().turned_away(endpoints, reason)


def counted_log(log: Log, board: Scoreboard, limit: int, column: Column) -> CountedLog:
    """Make the log of one process's connections, in the form of its log. limit: backends at once (-c)."""
    if log.of_events:
        from .counted_events import CountedEvents

        return CountedEvents(log, board, limit, column)
    return CountedLog(log, board, limit, column)
