"""What zones have said of clients, for as long as it holds. Never asks, and knows no zone but by its number."""

import time
from collections import OrderedDict

from ...core.dnsbl.judgement import Failing, Finding

#: Findings remembered, of all zones together; about 250 bytes each, 450 with a long text.
_LIMIT = 20_000
#: Seconds for which a finding is remembered at least and at most, whatever the zone says.
_LEAST_TTL, _MOST_TTL = 60, 3600
#: Seconds for which a failure is remembered: who comes again at once does not wait for the same zone again.
_FAILURE_TTL = 15


class ZoneCache:
    """The memory of one worker, of so many zones."""

    def __init__(self, zones: int) -> None:
        # Findings by address, each with the monotonic second until which it holds.
        self._findings: list[OrderedDict[bytes, tuple[Finding, float]]] = [OrderedDict() for _ in range(zones)]
        self._forget_before = [0.0] * zones
        self._limit = _LIMIT // max(1, zones)

    def recall(self, number: int, ip: bytes, forget_before: float, answers_since: float) -> Finding | None:
        """What a zone has said of an address; None = nothing that still holds.

        forget_before, answers_since: monotonic seconds; all that was said before the one is forgotten, and a failure
        before the other.
        """
        if forget_before > self._forget_before[number]:
            self._forget_before[number] = forget_before
            self._findings[number].clear()
        finding, until = self._findings[number].get(ip, (None, 0.0))
        if isinstance(finding, Failing):
            until = until if until - _FAILURE_TTL >= answers_since else 0.0
        return finding if until > time.monotonic() else None

    def remember(self, number: int, ip: bytes, finding: Finding, ttl: int) -> None:
        """Keep what a zone says, for the seconds that it says itself, within bounds."""
        ttl = _FAILURE_TTL if isinstance(finding, Failing) else min(max(ttl, _LEAST_TTL), _MOST_TTL)
        findings = self._findings[number]
        findings[ip] = finding, time.monotonic() + ttl
        if len(findings) > self._limit:
            findings.popitem(last=False)
