"""Events -> totals. One after the other, in memory that has a limit however long the log is. Never reads a line."""

from collections.abc import Callable
from typing import Any

from . import events, reasons
from .events import Event
from .hours import Hours
from .lines.reader import Told
from .networks import network
from .recent import Recent
from .relays import RelayTotals
from .report import LIST, Clients, Report, Row
from .returns import NetworkReturns, TripletReturns
from .top import Top
from .zones import ZoneTotals

#: Clients and networks that are told apart for certain, and reasons.
_CLIENTS, _REASONS = 10_000, 1_000
#: Clients whose connection is remembered until it ends, and whose refusal until the gate tells of it too.
_OPEN, _RECENT = 20_000, 2_000
#: How the names of restrictions begin that cannot let pass.
_REFUSING = (b"reject", b"defer")


class Totals:
    """The totals of a log."""

    def __init__(self) -> None:
        self._lines = self._understood = self._lost = 0
        self._first: int | None = None
        self._last: int | None = None
        self._hours = Hours()
        self._zones, self._relays = ZoneTotals(), RelayTotals()
        self._triplets, self._networks = TripletReturns(), NetworkReturns()
        self._reasons, self._restrictions, self._warnings = Top(_REASONS), Top(_REASONS), Top(_REASONS)
        self._checks, self._left = Top(_REASONS), Top(_REASONS)
        self._connecting, self._refused, self._delivering = _two(), _two(), _two()
        self._peak = events.Load(0, 0)
        self._open = Recent[int, bytes](_OPEN)
        self._screened = Recent[bytes, bytes](_RECENT)
        self._has_gate = False
        self._seconds: int | None = None
        self._count: dict[type[Event], Callable[[Any], None]] = {
            events.Connected: self._connected,
            events.Denied: self._denied,
            events.TurnedAway: self._turned_away,
            events.Ended: self._ended,
            events.Load: self._loaded,
            events.Screened: self._screens,
            events.Judged: self._zones.judged,
            events.Tallied: self._zones.tallied,
            events.Spared: self._spared,
            events.Rejected: self._rejected,
            events.Checked: lambda event: self._checks.add(event.action + b" " + event.part),
            events.Message: self._message,
            events.Visited: self._triplets.visited,
            events.Granted: self._relays.granted,
            events.GrantUsed: self._relays.used,
            events.LoggedIn: self._relays.logged_in,
            events.LoginFailed: self._relays.login_failed,
            events.Left: lambda event: self._left.add(event.how),
            events.Warned: lambda event: self._warnings.add(reasons.without_numbers(event.text)),
            events.LinesLost: self._lose,
        }

    def add(self, told: Told) -> None:
        """Count what a line tells."""
        self._lines += 1
        if not told.events:
            return
        self._understood += 1
        self._seconds = told.seconds
        if told.seconds is not None:
            self._first = told.seconds if self._first is None else min(self._first, told.seconds)
            self._last = told.seconds if self._last is None else max(self._last, told.seconds)
        for event in told.events:
            self._count[type(event)](event)

    def report(self, number: int) -> Report:
        """Sum up. number: rows of each list at most."""
        return Report(
            lines=self._lines,
            understood=self._understood,
            lost=self._lost,
            first=self._first,
            last=self._last,
            total=self._hours.all(),
            hours=self._hours.by_hour(),
            peak=self._peak,
            reasons=_rows(self._reasons, number),
            restrictions=_rows(self._restrictions, number),
            checks=_rows(self._checks, number),
            left=_rows(self._left, number),
            warnings=_rows(self._warnings, number),
            zones=self._zones.rows()[:LIST],
            pairs=self._zones.pairs()[:LIST],
            triplets=self._triplets.told(),
            networks=self._networks.told(),
            relays=self._relays.told(number),
            connecting=_clients(self._connecting, number),
            refused=_clients(self._refused, number),
            delivering=_clients(self._delivering, number),
        )

    def _connected(self, event: events.Connected) -> None:
        self._hours.at(self._seconds).connections += 1
        _add(self._connecting, event.ip)
        self._open.put(event.pid, event.ip)

    def _ended(self, event: events.Ended) -> None:
        """A connection without a refusal in it was let in; behind a gate that is known by its message alone."""
        ip = self._open.take(event.pid)
        if ip is not None and not self._has_gate and not self._screened.take(ip):
            self._networks.let_in(ip, self._seconds)

    def _denied(self, event: events.Denied) -> None:
        self._hours.at(self._seconds).denied += 1
        self._refuse(event.ip, b"denied by a rule")

    def _turned_away(self, event: events.TurnedAway) -> None:
        self._hours.at(self._seconds).turned_away += 1
        self._refuse(event.ip, b"%b: %b" % (event.by, reasons.limit(event.reason)))

    def _screens(self, event: events.Screened) -> None:
        self._hours.at(self._seconds).screened += 1
        self._refuse(event.ip, b"%b: %b" % (event.screen, reasons.reason(event.reason)))
        if event.screen == b"greylist":
            self._networks.refused(event.ip, self._seconds)
        self._screened.put(event.ip, event.reason)

    def _spared(self, _event: events.Spared) -> None:
        self._hours.at(self._seconds).spared += 1

    def _rejected(self, event: events.Rejected) -> None:
        self._has_gate = True
        if self._screened.get(event.ip) == event.reason:
            return  # the gate says to a recipient what a screen in front of it has said of the client
        self._hours.at(self._seconds).rejected += 1
        zone = reasons.zone(event.reason)
        if zone:
            self._zones.decided(zone)
        self._refuse(event.ip, reasons.reason(event.reason), event.restriction or reasons.restriction(event.reason))

    def _message(self, event: events.Message) -> None:
        self._has_gate = True
        counts = self._hours.at(self._seconds)
        if event.code >= 400:
            counts.unsent += 1
            # Of a recipient that passed, it is the one that let it pass.
            refusing = event.restriction if event.restriction.startswith(_REFUSING) else b""
            self._refuse(event.ip, b"message: " + reasons.reason(event.reason), refusing)
            return
        counts.messages += 1
        counts.recipients += event.recipients
        counts.size += event.size
        _add(self._delivering, event.ip)
        self._relays.message(event)
        self._zones.delivers(event.ip)
        self._networks.let_in(event.ip, self._seconds)

    def _loaded(self, event: events.Load) -> None:
        self._peak = max(self._peak, event)

    def _lose(self, event: events.LinesLost) -> None:
        self._lost += event.number

    def _refuse(self, ip: bytes, reason: bytes, restriction: bytes = b"") -> None:
        self._reasons.add(reason)
        _add(self._refused, ip)
        if restriction:
            self._restrictions.add(restriction)


def _two() -> tuple[Top, Top]:
    """Clients, and their networks."""
    return Top(_CLIENTS), Top(_CLIENTS)


def _add(tops: tuple[Top, Top], ip: bytes) -> None:
    tops[0].add(ip)
    tops[1].add(network(ip))


def _rows(top: Top, number: int) -> list[Row]:
    return [Row(name, count) for name, count in top.most(number)]


def _clients(tops: tuple[Top, Top], number: int) -> Clients:
    clients, networks = tops
    return Clients(_rows(clients, number), _rows(networks, number), max(clients.missed, networks.missed))
