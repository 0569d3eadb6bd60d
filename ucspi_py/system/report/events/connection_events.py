"""The log of connections as events: one for what becomes of each, one for the end of its program.

Each has the id of its connection, and what C tells in lines about the whole service.
"""

import os
import time
from collections.abc import Mapping
from typing import NamedTuple

from ....core.client.connection import UNIQUE_ID, Endpoints, Names
from ....core.log.event import Event, Value, event_of
from ....core.service import logevents, loglines
from ...accept.scoreboard import Scoreboard
from ..connection_ids import connection_ids
from ..connection_log import ConnectionLog
from ..log import Log
from .event_log import EventLog


class _Running(NamedTuple):
    """A program. about: which connection it has; the rest stands where that has come. since: monotonic seconds."""

    about: Mapping[str, Value]
    since: float


class ConnectionEvents(ConnectionLog):
    """Logs the connections of one worker as events. See ConnectionLog, for its methods, too. limit: as there."""

    def __init__(self, log: Log, board: Scoreboard, limit: int) -> None:
        super().__init__(log, board, limit)
        if not isinstance(log, EventLog):
            raise TypeError("a log of lines takes no events")
        self._events = log
        self._ids = connection_ids()
        self._known: dict[Endpoints, dict[str, Value]] = {}
        self._running: dict[int, _Running] = {}

    def arrived(self, endpoints: Endpoints, proxy_ip: bytes | None, unique_id: bytes) -> None:
        """Give a connection its id."""
        about = logevents.about(endpoints, unique_id or next(self._ids))
        if proxy_ip is not None:
            about["proxy_ip"] = proxy_ip
        self._known[endpoints] = about

    def left(self, endpoints: Endpoints) -> None:
        """Forget a connection; its program's end is known by that."""
        self._known.pop(endpoints, None)

    @property
    def kept(self) -> int:
        """How many connections and programs it has in mind."""
        return len(self._known) + len(self._running)

    def id_of(self, endpoints: Endpoints) -> bytes:
        """The id of a connection."""
        cid = self._about(endpoints)["cid"]
        return cid if isinstance(cid, bytes) else b""

    def mark(self, endpoints: Endpoints, environment: dict[bytes, bytes]) -> None:
        """Tell a program the id of its connection."""
        environment[UNIQUE_ID] = self.id_of(endpoints)

    def ruled(self, endpoints: Endpoints, origin: bytes) -> None:
        """Keep which line decided, for what is told of the client from now on."""
        self._about(endpoints)["rule"] = origin

    def started(self, pid: int, endpoints: Endpoints, names: Names) -> None:
        """Tell that a backend has the client. pid: its process id."""
        about = self._about(endpoints)
        self._running[pid] = _Running({"pid": pid, "cid": about["cid"], "ip": about["ip"]}, time.monotonic())
        if self._log.verbose:
            self._events.tell(logevents.decided("ok", {**about, "pid": pid}, names, self._load()))

    def ended(self, pid: int, wait_status: int) -> None:
        """Tell that a backend has ended. pid: its process id. wait_status: raw, as wait(2) gives it."""
        found = self._running.pop(pid, None)
        if not self._log.verbose:
            return
        ms = None if found is None else round(1000 * (time.monotonic() - found.since))
        about = {"pid": pid} if found is None else found.about
        self._events.tell(logevents.ended(about, os.waitstatus_to_exitcode(wait_status), ms, self._load()))

    def denied(self, endpoints: Endpoints, names: Names) -> None:
        """See ConnectionLog."""
        self._detail(logevents.decided("deny", self._about(endpoints), names, {}))

    def refused(self, endpoints: Endpoints, names: Names, line: bytes) -> None:
        """See ConnectionLog."""
        self._events.tell(logevents.refused(self._about(endpoints), names, event_of(line)))

    def parted(self, endpoints: Endpoints, names: Names) -> None:
        """See ConnectionLog."""
        self._detail(logevents.decided("ok", self._about(endpoints), names, self._load()))

    def dropped(self, endpoints: Endpoints, sentence: str) -> None:
        """See ConnectionLog."""
        self._warn(logevents.failed(self._about(endpoints), "drop", sentence))

    def crashed(self, endpoints: Endpoints, what: str) -> None:
        """See ConnectionLog."""
        self._warn(logevents.crashed(self._about(endpoints), what))

    def not_run(self, endpoints: Endpoints, _names: Names, sentence: str) -> None:
        """See ConnectionLog."""
        self.dropped(endpoints, sentence)

    def not_forked(self, why: str) -> None:
        """See ConnectionLog."""
        self._log.warn(loglines.warning(f"dropping connection, unable to fork: {why}"))

    def unsecured(self, endpoints: Endpoints, reason: str, *, has_program: bool = False) -> None:
        """See ConnectionLog."""
        event = logevents.failed(self._about(endpoints), "tls_error", reason)
        if has_program:
            event = event._replace(name="tls")
        if self._log.verbose:
            self._events.tell(event)
        else:
            self._complain(reason, lambda _reason: self._warn(event))

    def without_header(self, ip: bytes, reason: str) -> None:
        """See ConnectionLog."""
        event = logevents.failed({"ip": ip}, "proxy_error", reason)
        self._complain(f"{ip.decode()} {reason}", lambda _reason: self._warn(event))

    def turned_away(self, endpoints: Endpoints, reason: bytes) -> None:
        """See ConnectionLog."""
        self._detail(logevents.turned_away(self._about(endpoints), reason))

    def _about(self, endpoints: Endpoints) -> dict[str, Value]:
        """What all events of a connection tell; of one that was turned away on its way in."""
        return self._known.get(endpoints) or logevents.about(endpoints, next(self._ids))

    def _load(self) -> Mapping[str, Value]:
        return logevents.load(self._board.running(), self._limit)

    def _detail(self, event: Event) -> None:
        if self._log.verbose:
            self._events.tell(event)

    def _warn(self, event: Event) -> None:
        if self._events.warns:
            self._events.tell(event)
