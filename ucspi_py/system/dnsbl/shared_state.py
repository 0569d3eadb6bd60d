"""What the workers know of their zones together: counters and standing, in memory that they share. Never decides."""

import struct
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from ...core.dnsbl import breaker as zone_breaker
from ...core.dnsbl.breaker import Gate, Standing
from ...core.dnsbl.health import Health
from ..process.shared_memory import SharedMemory


class Record(NamedTuple):
    """What one zone has said since the start.

    asked: look-ups. listed, errors, timeouts: what became of them.
    unique: listed by this zone alone. overlap: by others too.
    milliseconds: waited for it in all.
    skipped: clients about whom it was not asked, because it was left alone or not believed.
    """

    asked: int = 0
    listed: int = 0
    errors: int = 0
    timeouts: int = 0
    unique: int = 0
    overlap: int = 0
    milliseconds: int = 0
    skipped: int = 0

    def totals(self) -> dict[str, int]:
        """The counters by name, in the order of the log line."""
        return self._asdict()


#: The one reason for a failure that has a counter of its own.
_TIMED_OUT = "timed out"

_RECORD, _STANDING = struct.Struct("=8Q"), struct.Struct("=2Q3dQ6d")
#: The beginning of a standing, and the one field of it that is looked at after each answer.
_GATE, _FAILURES = struct.Struct("=2Q3d"), struct.Struct("=8xQ")


@dataclass(slots=True)
class Counts:
    """What one worker has counted of a zone since it last added that to the record.

    asked, listed, unique, overlap, skipped: as in Record. errors: answers that are errors. run: listed clients at the
    end, without another one between. seconds: waited for all these answers.
    """

    asked: int = 0
    listed: int = 0
    run: int = 0
    errors: int = 0
    unique: int = 0
    overlap: int = 0
    seconds: float = 0.0
    skipped: int = 0


_NOTHING = Counts()


class SharedZones:
    """The record and the standing of each zone, by its number from 0. zones: how many there are."""

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

    def gate(self, number: int) -> Gate:
        """The part of how a zone stands that decides whether a client is asked about."""
        return Gate._make(_GATE.unpack_from(self._shared.memory, self._standings + number * _STANDING.size))

    def failures(self, number: int) -> int:
        """How often a zone has failed in a row: the second field of its standing."""
        (failures,) = _FAILURES.unpack_from(self._shared.memory, self._standings + number * _STANDING.size)
        return int(failures)

    def records(self) -> list[Record]:
        """What every zone has said so far."""
        return [self.record(number) for number in range(self._zones)]

    def add(self, number: int, counts: Counts) -> None:
        """Add what a worker has counted of a zone."""
        if counts == _NOTHING:
            return
        with self._shared:
            record, standing = self.record(number), self.standing(number)
            usual = zone_breaker.usual_share(record.asked, record.listed)
            self._keep_record(
                number,
                record._replace(
                    asked=record.asked + counts.asked,
                    listed=record.listed + counts.listed,
                    errors=record.errors + counts.errors,
                    unique=record.unique + counts.unique,
                    overlap=record.overlap + counts.overlap,
                    milliseconds=record.milliseconds + round(1000 * counts.seconds),
                    skipped=record.skipped + counts.skipped,
                ),
            )
            now, run = time.monotonic(), counts.run
            standing = zone_breaker.answered(standing, usual, counts.asked - run, counts.listed - run, now)
            self._keep(number, zone_breaker.answered(standing, usual, run, run, now))

    def note_failure(self, number: int, reason: str, seconds: float) -> bool:
        """Count a failed look-up that took so many seconds; True where it was one too many in a row.

        reason: in djb's words.
        """
        with self._shared:
            self._count_failure(number, reason, seconds)
            before, now = self.standing(number), time.monotonic()
            after = zone_breaker.failed(before, now)
            self._keep(number, after)
        return zone_breaker.may_be_asked(before, now) and not zone_breaker.may_be_asked(after, now)

    def note_test(self, number: int, health: Health, luck: float) -> tuple[Standing, Standing]:
        """Keep what a test has shown; how the zone stood before it, and how it does now. luck: from 0 to 1."""
        with self._shared:
            if not health.reachable:
                self._count_failure(number, health.failure, 0.0)
            before = self.standing(number)
            after = zone_breaker.tested(before, health, luck, time.monotonic())
            self._keep(number, after)
        return before, after

    def claim_test(self, number: int) -> bool:
        """Claim the test of a zone that is due; False where none is, or another worker has just claimed it."""
        return self._claim(number, zone_breaker.claimed)

    def claim_line(self, number: int) -> bool:
        """Whether a line about a zone is to be written now, and by the caller."""
        return self._claim(number, zone_breaker.told)

    def test_soon(self, number: int) -> None:
        """Have a zone tested at once."""
        with self._shared:
            self._keep(number, zone_breaker.renewed(self.standing(number)))

    def _claim(self, number: int, claim: Callable[[Standing, float], Standing | None]) -> bool:
        # Looked at without the lock first: mostly there is nothing to be claimed.
        if claim(self.standing(number), time.monotonic()) is None:
            return False
        with self._shared:
            standing = claim(self.standing(number), time.monotonic())
            if standing is not None:
                self._keep(number, standing)
        return standing is not None

    def _count_failure(self, number: int, reason: str, seconds: float) -> None:
        record, timeout = self.record(number), reason == _TIMED_OUT
        self._keep_record(
            number,
            record._replace(
                asked=record.asked + 1,
                errors=record.errors + (not timeout),
                timeouts=record.timeouts + timeout,
                milliseconds=record.milliseconds + round(1000 * seconds),
            ),
        )

    def _keep_record(self, number: int, record: Record) -> None:
        _RECORD.pack_into(self._shared.memory, number * _RECORD.size, *record)

    def _keep(self, number: int, standing: Standing) -> None:
        _STANDING.pack_into(self._shared.memory, self._standings + number * _STANDING.size, *standing)
