"""What zones said, each alone and together with others. Never asks one."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import combinations
from typing import NamedTuple

from .events import Finding, Judged
from .recent import Recent

#: Zones that are told apart; a log of a service has few.
_MOST = 200
#: Clients that are remembered until they deliver a message.
_REMEMBERED = 20_000


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
        rows = (_row(name, one) for name, one in self._zones.items())
        return sorted(rows, key=lambda row: (-row.listed - row.decided, row.zone))

    def pairs(self) -> list[Pair]:
        """List each two zones that list the same clients, the most first."""
        found = (Pair(first, second, both) for (first, second), both in self._pairs.items())
        return sorted(found, key=lambda pair: (-pair.both, pair.first, pair.second))

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
