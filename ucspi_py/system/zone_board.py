"""What the workers know of their zones together: counters and health, in memory that they share. Never asks a zone."""

import struct
import time
from dataclasses import dataclass
from typing import NamedTuple

from ..core.zone_health import BREAKING_POINT, has_gone_mad
from .shared_memory import SharedMemory

#: Clients after which the recent counters begin anew.
_RECENT = 200

_LAYOUT = struct.Struct("=11Q4d")


class Record(NamedTuple):
    """One zone. Counters since the start, then of late, then health.

    unique: listed by this zone alone. overlap: by others too. milliseconds: waited for it in all.
    silenced: its listings do not count. failures: in a row. Monotonic seconds: closed_until, test_at, told_at;
    well_since: what it said before is not to be remembered.
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

    def totals(self) -> dict[str, int]:
        """The counters since the start, by name."""
        names = ("asked", "listed", "errors", "timeouts", "unique", "overlap", "milliseconds")
        return {name: getattr(self, name) for name in names}


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
    """One record for each zone, by its number."""

    def __init__(self, zones: int) -> None:
        self._zones = zones
        self._shared = SharedMemory(max(1, zones) * _LAYOUT.size)

    def read(self, number: int) -> Record:
        """What is known of a zone."""
        return Record._make(_LAYOUT.unpack_from(self._shared.memory, number * _LAYOUT.size))

    def all(self) -> list[Record]:
        """What is known of every zone."""
        return [self.read(number) for number in range(self._zones)]

    def add(self, number: int, counts: Counts) -> bool:
        """Add what a worker has counted; True where it shows that the zone has gone mad."""
        with self._shared:
            record = self.read(number)
            recent = record.recently_asked + counts.asked, record.recently_listed + counts.listed
            before = record.asked - record.recently_asked, record.listed - record.recently_listed
            mad = not record.silenced and has_gone_mad(*before, *recent)
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
                    failures=0 if counts.asked else record.failures,
                ),
            )
        return mad

    def note_failure(self, number: int, *, timeout: bool, seconds: float, rest: float) -> bool:
        """Count a failed look-up; True where it was one too many, and the zone is left alone for ``rest`` seconds.

        The first in a row has the zone tested: if it is dead, others need not find that out by waiting.
        """
        with self._shared:
            record = self.read(number)
            broken = record.failures + 1 >= BREAKING_POINT
            self._write(
                number,
                record._replace(
                    asked=record.asked + 1,
                    errors=record.errors + (not timeout),
                    timeouts=record.timeouts + timeout,
                    milliseconds=record.milliseconds + round(1000 * seconds),
                    failures=record.failures + 1,
                    closed_until=time.monotonic() + rest if broken else record.closed_until,
                    test_at=0.0 if broken or not (record.failures or record.closed_until) else record.test_at,
                ),
            )
        return broken

    def note_health(self, number: int, *, trusted: bool, closed_for: float) -> None:
        """What a test has shown; closed_for: seconds in which the zone is not to be asked, 0 = it is well."""
        with self._shared:
            record = self.read(number)
            now = time.monotonic()
            recovers = trusted and not closed_for and (record.silenced or record.closed_until)
            self._write(
                number,
                record._replace(
                    silenced=int(not trusted),
                    closed_until=now + closed_for if closed_for else 0.0,
                    failures=0 if recovers else record.failures,
                    well_since=now if recovers else record.well_since,
                ),
            )

    def claim_test(self, number: int, again_after: float) -> bool:
        """Whether a zone is to be tested now, and by the caller; no other worker will be told so for some seconds."""
        with self._shared:
            record = self.read(number)
            if record.test_at > time.monotonic():
                return False
            self._write(number, record._replace(test_at=time.monotonic() + again_after))
            return True

    def test_soon(self, number: int, seconds: float) -> None:
        """Have a zone tested in so many seconds."""
        with self._shared:
            self._write(number, self.read(number)._replace(test_at=time.monotonic() + seconds))

    def claim_line(self, number: int, again_after: float) -> bool:
        """Whether a line about a zone is to be written now, and by the caller."""
        with self._shared:
            record = self.read(number)
            if record.told_at > time.monotonic():
                return False
            self._write(number, record._replace(told_at=time.monotonic() + again_after))
            return True

    def _write(self, number: int, record: Record) -> None:
        _LAYOUT.pack_into(self._shared.memory, number * _LAYOUT.size, *record)
