"""What happened in each hour. Never says why."""

from collections.abc import Callable
from dataclasses import astuple, dataclass, fields

#: Hours of four years. A log of more has its oldest counted together with all others, and not alone.
_MOST = 4 * 366 * 24
_HOUR = 3600
DAY = 24
#: Rows of a table that may be empty.
_MOST_FILLED = 400


@dataclass(slots=True)
class Counts:
    """Of an hour, a day or all of a log.

    connections: that the rules let in. denied: by rules. turned_away: over a limit, and without TLS or a proxy's
    header. screened: refused by a screen. rejected: commands that the gate refuses. spared: what would be refused.
    messages: taken. unsent: messages that were refused. recipients, size: of messages that were taken; in bytes.
    """

    connections: int = 0
    denied: int = 0
    turned_away: int = 0
    screened: int = 0
    rejected: int = 0
    spared: int = 0
    messages: int = 0
    unsent: int = 0
    recipients: int = 0
    size: int = 0

    def include(self, other: "Counts") -> None:
        """Add all of the other."""
        for name in NAMES:
            setattr(self, name, getattr(self, name) + getattr(other, name))

    @property
    def refused(self) -> int:
        """All that was refused, in any way."""
        return self.denied + self.turned_away + self.screened + self.rejected + self.unsent


NAMES = tuple(field.name for field in fields(Counts))


class Hours:
    """The counts of each hour, by hours since 1970, and those of all lines without a stamp."""

    def __init__(self) -> None:
        self._hours: dict[int, Counts] = {}
        self._rest = Counts()

    def at(self, seconds: int | None) -> Counts:
        """Give the counts of an hour, to be added to. seconds: since 1970; None = not known."""
        if seconds is None:
            return self._rest
        hour = seconds // _HOUR
        found = self._hours.get(hour)
        if found is None:
            if len(self._hours) >= _MOST:
                self._rest.include(self._hours.pop(min(self._hours)))
            found = self._hours[hour] = Counts()
        return found

    def all(self) -> Counts:
        """Add all of them up."""
        total = Counts(*astuple(self._rest))
        for one in self._hours.values():
            total.include(one)
        return total

    def by_hour(self) -> dict[int, Counts]:
        """List the hours in which something happened, the first one first."""
        return dict(sorted(self._hours.items()))


def filled(hours: dict[int, Counts], step: int = 1) -> dict[int, Counts]:
    """Put those hours between them in which nothing happened. step: how many hours each stands for."""
    if not hours or (max(hours) - min(hours)) // step > _MOST_FILLED:
        return hours
    return {hour: hours.get(hour) or Counts() for hour in range(min(hours), max(hours) + 1, step)}


def by_day(hours: dict[int, Counts]) -> dict[int, Counts]:
    """Add up the hours of each day. hours: since 1970. The result has their first hours."""
    return _added(hours, lambda hour: hour - hour % DAY)


def by_clock(hours: dict[int, Counts]) -> dict[int, Counts]:
    """Add up the same hours of all days, 0 to 23."""
    return dict(sorted(_added(hours, lambda hour: hour % DAY).items()))


def _added(hours: dict[int, Counts], key: Callable[[int], int]) -> dict[int, Counts]:
    sums: dict[int, Counts] = {}
    for hour, counts in hours.items():
        sums.setdefault(key(hour), Counts()).include(counts)
    return sums
