"""What the workers know of their zones together: counters and health, in memory that they share. Never asks a zone."""

import struct
import time
from dataclasses import dataclass
from typing import NamedTuple

from ..core.zone_health import BREAKING_POINT, has_gone_mad
from .shared_memory import SharedMemory

#: Clients after which the recent counters begin anew.
_RECENT = 200


class Record(NamedTuple):
    """What one zone has said: counters since the start, then of late.

    unique: listed by this zone alone. overlap: by others too. milliseconds: waited for it in all.
    """

    asked: int = 0
    listed: int = 0
    errors: int = 0
    timeouts: int = 0
    unique: int = 0
    overlap: int = 0
    milliseconds: int = 0
    recently_asked: int = 0
    recently_listed: int = 0

    def totals(self) -> dict[str, int]:
        """The counters since the start, by name."""
        names = ("asked", "listed", "errors", "timeouts", "unique", "overlap", "milliseconds")
        return {name: getattr(self, name) for name in names}


class Standing(NamedTuple):
    """How one zone stands; apart from its record, since it is looked at for every client.

    silenced: its listings do not count. failures: in a row. Monotonic seconds: closed_until, test_at, told_at;
    well_since: what it said before is not to be remembered.
    """

    silenced: int = 0
    failures: int = 0
    closed_until: float = 0.0
    test_at: float = 0.0
    told_at: float = 0.0
    well_since: float = 0.0

    @property
    def may_be_asked(self) -> bool:
        """Whether look-ups of the zone have not failed again and again of late."""
        return self.closed_until <= time.monotonic()


_RECORD, _STANDING = struct.Struct("=9Q"), struct.Struct("=2Q4d")


@dataclass(slots=True)
class Counts:
    """What one worker has seen of a zone since it told the others: answers, and how long they took in all.

    errors: answers that only say that something is wrong.
    """

    asked: int = 0
    listed: int = 0
    errors: int = 0
    unique: int = 0
    overlap: int = 0
    seconds: float = 0.0


class ZoneBoard:
    """The record and the standing of each zone, by its number."""

    def __init__(self, zones: int) -> None:
        self._zones = zones
        self._standings = zones * _RECORD.size
        self._shared = SharedMemory(self._standings + max(1, zones * _STANDING.size))

    def record(self, number: int) -> Record:
        """What a zone has said so far."""
        return Record._make(_RECORD.unpack_from(self._shared.memory, number * _RECORD.size))

    def standing(self, number: int) -> Standing:
        """How a zone stands."""
        return Standing._make(_STANDING.unpack_from(self._shared.memory, self._standings + number * _STANDING.size))

    def records(self) -> list[Record]:
        """What every zone has said so far."""
        return [self.record(number) for number in range(self._zones)]

    def add(self, number: int, counts: Counts) -> bool:
        """Add what a worker has counted; True where it shows that the zone has gone mad."""
        with self._shared:
            record, standing = self.record(number), self.standing(number)
            recent = record.recently_asked + counts.asked, record.recently_listed + counts.listed
            before = record.asked - record.recently_asked, record.listed - record.recently_listed
            mad = not standing.silenced and has_gone_mad(*before, *recent)
            if mad or recent[0] >= _RECENT:
                recent = 0, 0
            self._write(
                number,
                record._replace(
                    asked=record.asked + counts.asked,
                    listed=record.listed + counts.listed,
                    errors=record.errors + counts.errors,
                    unique=record.unique + counts.unique,
                    overlap=record.overlap + counts.overlap,
                    milliseconds=record.milliseconds + round(1000 * counts.seconds),
                    recently_asked=recent[0],
                    recently_listed=recent[1],
                ),
            )
            if counts.asked:
                self._write(number, standing._replace(failures=0))
        return mad

    def note_failure(self, number: int, *, timeout: bool, seconds: float, rest: float) -> bool:
        """Count a failed look-up; True where it was one too many, and the zone is left alone for ``rest`` seconds.

        The first in a row has the zone tested: if it is dead, others need not find that out by waiting.
        """
        with self._shared:
            record, standing = self.record(number), self.standing(number)
            broken = standing.failures + 1 >= BREAKING_POINT
            self._write(
                number,
                record._replace(
                    asked=record.asked + 1,
                    errors=record.errors + (not timeout),
                    timeouts=record.timeouts + timeout,
                    milliseconds=record.milliseconds + round(1000 * seconds),
                ),
            )
            self._write(
                number,
                standing._replace(
                    failures=standing.failures + 1,
                    closed_until=time.monotonic() + rest if broken else standing.closed_until,
                    test_at=0.0 if broken or not (standing.failures or standing.closed_until) else standing.test_at,
                ),
            )
        return broken

    def note_health(self, number: int, *, trusted: bool, closed_for: float) -> None:
        """What a test has shown; closed_for: seconds in which the zone is not to be asked, 0 = it is well."""
        with self._shared:
            standing = self.standing(number)
            now = time.monotonic()
            recovers = trusted and not closed_for and (standing.silenced or standing.closed_until)
            self._write(
                number,
                standing._replace(
                    silenced=int(not trusted),
                    closed_until=now + closed_for if closed_for else 0.0,
                    failures=0 if recovers else standing.failures,
                    well_since=now if recovers else standing.well_since,
                ),
            )

    def claim_test(self, number: int, again_after: float) -> bool:
        """Whether a zone is to be tested now, and by the caller; no other worker will be told so for some seconds."""
        with self._shared:
            standing = self.standing(number)
            if standing.test_at > time.monotonic():
                return False
            self._write(number, standing._replace(test_at=time.monotonic() + again_after))
            return True

    def test_soon(self, number: int, seconds: float) -> None:
        """Have a zone tested in so many seconds."""
        with self._shared:
            self._write(number, self.standing(number)._replace(test_at=time.monotonic() + seconds))

    def claim_line(self, number: int, again_after: float) -> bool:
        """Whether a line about a zone is to be written now, and by the caller."""
        with self._shared:
            standing = self.standing(number)
            if standing.told_at > time.monotonic():
                return False
            self._write(number, standing._replace(told_at=time.monotonic() + again_after))
            return True

    def _write(self, number: int, news: Record | Standing) -> None:
        if isinstance(news, Record):
            _RECORD.pack_into(self._shared.memory, number * _RECORD.size, *news)
        else:
            _STANDING.pack_into(self._shared.memory, self._standings + number * _STANDING.size, *news)
