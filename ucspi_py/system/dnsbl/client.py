"""A worker's DNSBL client: queries its zones, skips failing ones, tests them and counts. Never judges."""

import asyncio
import random
import time
from functools import partial

from ...core.dns.message import Ask
from ...core.dnsbl import breaker as zone_breaker
from ...core.dnsbl import loglines
from ...core.dnsbl.answers import Failing, Listed, Result
from ...core.dnsbl.outcome import ScreenResult
from ...core.dnsbl.settings import DnsblSettings
from ...core.dnsbl.zone import Zone
from ...core.service.settings import Program
from ..process.timer import Timer
from ..report.log import Log
from .cache import ZoneCache
from .query import Callback, Query, ask_zone, examine
from .shared_state import Counts, SharedZones

#: Seconds between two looks for a test that is due.
_TEST_LOOKS = 1.0
#: Seconds after which what one worker has counted is told to all; a lock for every client would cost more than it.
_SHARING = 0.25

_NOT_BELIEVED = Result(Failing("not believed for now", answered=True), 0.0, 0)
_LEFT_ALONE = Result(Failing("left alone, it failed too often"), 0.0, 0)


class DnsblClient:
    """Asks zones for one worker; what is known of them is shared with the others."""

    def __init__(self, program: Program, board: SharedZones, ask: Ask, log: Log) -> None:
        self._numbers = {zone: number for number, zone in enumerate(program.zones)}
        self._verbose = any(screen.verbose for screen in program.dnsbl_screens)
        self._board = board
        self._memory = ZoneCache(len(self._numbers))
        self._counts = [Counts() for _ in self._numbers]
        self._sharing = Timer(_SHARING, self.share)
        self._ask = ask
        self._log = log

    def ask_zone(self, inquiry: Query, callback: Callback) -> None:
        """Answer for a zone about a client: from memory, from the zone, or that it is not to be had."""
        number = self._numbers.get(inquiry.zone)
        if number is None:  # a table of the gate names it, and who knows for how long
            ask_zone(self._ask, inquiry, callback)
            return
        known = self._known(number, inquiry.ip)
        if known:
            callback(known)
        else:
            ask_zone(self._ask, inquiry, partial(self._take, inquiry, number, callback))

    def _known(self, number: int, ip: bytes) -> Result | None:
        """What there is to say of a client without asking the zone; None where it is to be asked."""
        gate = self._board.gate(number)
        if gate.distrusted:
            self._counts[number].skipped += 1
            return _NOT_BELIEVED
        if finding := self._memory.recall(number, ip, gate.forget_before, gate.answers_since):
            return Result(finding, 0.0, 0)
        if zone_breaker.may_be_asked(gate, time.monotonic()):
            return None
        self._counts[number].skipped += 1
        return _LEFT_ALONE

    def _take(self, inquiry: Query, number: int, callback: Callback, result: Result) -> None:
        self._note(inquiry.zone, number, result)
        self._memory.remember(number, inquiry.ip, result.finding, result.ttl)
        callback(result)

    def note_result(self, settings: DnsblSettings, screened: ScreenResult) -> None:
        """Count which zones list a client, together or alone."""
        listing = [at for at, result in enumerate(screened.results) if result and isinstance(result.finding, Listed)]
        for at in listing:
            counts = self._counts[self._numbers[settings.zones[at]]]
            counts.unique += len(listing) == 1
            counts.overlap += len(listing) > 1
        self._sharing.ask(asyncio.get_running_loop())

    def share(self) -> None:
        """Add to the shared records what was counted here since the last time."""
        for number in self._numbers.values():
            counts, self._counts[number] = self._counts[number], Counts()
            self._board.add(number, counts)

    async def watch(self) -> None:
        """Test every zone that is due, one worker for all, until cancelled."""
        while self._numbers:
            tests = (self._test_if_due(zone, number) for zone, number in self._numbers.items())
            await asyncio.gather(*tests, return_exceptions=True)
            await asyncio.sleep(_TEST_LOOKS)

    async def _test_if_due(self, zone: Zone, number: int) -> None:
        """Test one zone, if that is ours to do now; whatever goes wrong with it, there will be a next time."""
        try:
            if self._board.claim_test(number):
                await self._test(zone, number)
        except Exception as error:  # also what nobody has thought of: a zone that is never tested again lets in
            self._warn(zone, number, f"it cannot be tested: {error!r}")

    async def _test(self, zone: Zone, number: int) -> None:
        health = await examine(self._ask, zone)
        before, after = self._board.note_test(number, health, random.random())  # noqa: S311
        if sentence := zone_breaker.change(before, after, health):
            self._warn(zone, number, sentence, news=True)
        elif sentence := zone_breaker.complaint(after, health, verbose=self._verbose):
            self._warn(zone, number, sentence)

    def _note(self, zone: Zone, number: int, result: Result) -> None:
        match result.finding:
            case Failing(reason, answered=False):
                if self._board.note_failure(number, reason, result.seconds):
                    self._warn(zone, number, f"it failed too often, last: {reason}; it is left alone for a while")
            case finding:
                counts = self._counts[number]
                counts.asked += 1
                listed = isinstance(finding, Listed)
                counts.listed += listed
                counts.run = counts.run + 1 if listed else 0
                counts.seconds += result.seconds
                if isinstance(finding, Failing):
                    counts.errors += 1
                    self._warn(zone, number, f"it {finding.reason}")
                if self._board.failures(number):
                    self.share()  # or failures with answers between them would pass for failures in a row

    def _warn(self, zone: Zone, number: int, sentence: str, *, news: bool = False) -> None:
        """Say something of a zone; what is no news not more than once an hour."""
        if self._board.claim_line(number) or news:
            self._log.warn(loglines.zone_warning(zone.alias, sentence))
