"""What zones said, each alone and together with others. Never asks one."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import combinations
from typing import NamedTuple

from .events import Finding, Judged, Tallied
from .recent import Recent

#: Zones that are told apart; a log of a service has few.
_MOST = 200
#: Clients that are remembered until they deliver a message.
_REMEMBERED = 20_000


#: What is counted of a Tallied.
_COUNTS = Tallied._fields[1:]


@dataclass(slots=True)
class _Zone:
    asked: int = 0
    listed: int = 0
    alone: int = 0
    decided: int = 0
    failed: int = 0
    pending: int = 0
    delivered: int = 0
    ms: int = 0
    slowest: int = 0


@dataclass(slots=True)
class _Tally:
    """Of what is told of a zone from time to time, what has been added since it was told first."""

    first: Tallied
    last: Tallied
    added: tuple[int, ...] = (0,) * len(_COUNTS)

    def go_on(self, event: Tallied) -> None:
        """Add what is new. Counts that have become less are those of a service that has begun anew."""
        begun_anew = event.asked < self.last.asked
        before = (0,) * len(_COUNTS) if begun_anew else self.last[1:]
        self.added = tuple(so_far - old + new for so_far, old, new in zip(self.added, before, event[1:], strict=True))
        self.last = event

    def with_counts(self, zone: _Zone) -> _Zone:
        """Put in what is counted. Told once alone, it is all since the service began."""
        added = Tallied(b"", *self.added) if self.last is not self.first else self.first
        return replace(
            zone,
            asked=added.asked,
            listed=added.listed,
            alone=added.unique,
            failed=added.errors,
            pending=added.timeouts,
            ms=added.milliseconds,
        )


class ZoneRow(NamedTuple):
    """A zone.

    asked: about how many clients. listed: of these. alone: that no other zone lists. decided: whom the gate refuses by
    it. failed, pending: it did not answer, or not in time. delivered: clients that it alone lists, and that have
    delivered a message all the same: each may be one that it lists wrongly. ms: of a mean answer. slowest: in ms.
    """

    zone: bytes
    asked: int
    listed: int
    alone: int
    decided: int
    failed: int
    pending: int
    delivered: int
    ms: float
    slowest: int

    @property
    def is_useless(self) -> bool:
        """Whether others list all that it lists: without it nobody would have been judged otherwise."""
        return self.asked > 0 and not self.alone and not self.decided

    @property
    def is_doubtful(self) -> bool:
        """Whether one in ten or more of those that it alone lists are worth their mail."""
        return self.delivered * 10 >= self.alone > 0 and self.delivered > 0


class Pair(NamedTuple):
    """Two zones. both: clients that both list."""

    first: bytes
    second: bytes
    both: int


class ZoneTotals:
    """Adds up what zones said."""

    def __init__(self) -> None:
        self._zones: dict[bytes, _Zone] = {}
        self._tallies: dict[bytes, _Tally] = {}
        self._pairs: Counter[tuple[bytes, bytes]] = Counter()
        self._let_in = Recent[bytes, bytes](_REMEMBERED)

    def judged(self, event: Judged) -> None:
        """Count what all zones said of a client."""
        listing = sorted({one.zone for one in event.findings if one.lists})
        for finding in event.findings:
            self._count(finding, alone=listing == [finding.zone])
        if len(listing) > 1:
            self._pairs.update(combinations(listing[:_MOST], 2))
        elif listing and not event.refused:
            self._let_in.put(event.ip, listing[0])

    def tallied(self, event: Tallied) -> None:
        """Count what a service tells of a zone each hour: it is used where no line tells it of each client."""
        known = self._tallies.get(event.zone)
        if known:
            known.go_on(event)
        elif len(self._tallies) < _MOST:
            self._tallies[event.zone] = _Tally(event, event)

    def decided(self, zone: bytes) -> None:
        """Count a refusal of the gate by one zone."""
        if found := self._zone(zone):
            found.decided += 1

    def delivers(self, ip: bytes) -> None:
        """Count a client that has delivered a message against the zone that alone lists it."""
        zone = self._let_in.take(ip)
        if zone is not None and (found := self._zone(zone)):
            found.delivered += 1

    def rows(self) -> list[ZoneRow]:
        """List the zones, the one that lists the most first."""
        names = {**self._zones, **self._tallies}
        rows = (_row(name, self._told(name)) for name in names)
        return sorted(rows, key=lambda row: (-row.listed - row.decided, row.zone))

    def pairs(self) -> list[Pair]:
        """List each two zones that list the same clients, the most first."""
        found = (Pair(first, second, both) for (first, second), both in self._pairs.items())
        return sorted(found, key=lambda pair: (-pair.both, pair.first, pair.second))

    def _told(self, name: bytes) -> _Zone:
        zone, tally = self._zones.get(name, _Zone()), self._tallies.get(name)
        return zone if zone.asked or tally is None else tally.with_counts(zone)

    def _count(self, finding: Finding, *, alone: bool) -> None:
        zone = self._zone(finding.zone)
        if zone is None:
            return
        zone.asked += 1
        if finding.word == b"pending":
            zone.pending += 1
            return
        zone.ms += finding.ms
        zone.slowest = max(zone.slowest, finding.ms)
        if finding.lists:
            zone.listed += 1
            zone.alone += alone
        elif finding.word == b"failed":
            zone.failed += 1

    def _zone(self, name: bytes) -> _Zone | None:
        found = self._zones.get(name)
        if found is None and len(self._zones) < _MOST:
            found = self._zones[name] = _Zone()
        return found


def names(pairs: Iterable[Pair]) -> list[bytes]:
    """List the zones of pairs, each once, in their order."""
    return list(dict.fromkeys(name for pair in pairs for name in (pair.first, pair.second)))


def _row(name: bytes, zone: _Zone) -> ZoneRow:
    answers = zone.asked - zone.pending
    return ZoneRow(
        name,
        zone.asked,
        zone.listed,
        zone.alone,
        zone.decided,
        zone.failed,
        zone.pending,
        zone.delivered,
        zone.ms / answers if answers else 0.0,
        zone.slowest,
    )
