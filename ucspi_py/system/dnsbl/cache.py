"""What zones have said of clients, for as long as it holds. Never asks, and knows no zone but by its number."""

import time
from collections import OrderedDict

from ...core.dnsbl import ttl
from ...core.dnsbl.answers import Finding

#: Findings remembered, of all zones together; about 250 bytes each, 450 with a long text.
_LIMIT = 20_000


class ZoneCache:
    """The memory of one worker, of so many zones."""

    def __init__(self, zones: int) -> None:
        # Findings by address, each with the monotonic second until which it holds.
        self._findings: list[OrderedDict[bytes, tuple[Finding, float]]] = [OrderedDict() for _ in range(zones)]
        self._forget_before = [0.0] * zones
        self._limit = _LIMIT // max(1, zones)

    def recall(self, number: int, ip: bytes, forget_before: float, answers_since: float) -> Finding | None:
        """Recall the finding of a zone about an address; None = none that still holds.

        number: the zone's. forget_before, answers_since: monotonic seconds; all findings from before the one are
        forgotten, and failures from before the other.
        """
        if forget_before > self._forget_before[number]:
            self._forget_before[number] = forget_before
            self._findings[number].clear()
        known = self._findings[number].get(ip)
        if known is None or not ttl.holds(*known, answers_since, time.monotonic()):
            return None
        return known[0]

    def remember(self, number: int, ip: bytes, finding: Finding, seconds: int) -> None:
        """Remember a finding of a zone about an address. number: the zone's. seconds: the TTL of its answer."""
        findings = self._findings[number]
        findings[ip] = finding, time.monotonic() + ttl.lifetime(finding, seconds)
        if len(findings) > self._limit:
            findings.popitem(last=False)
