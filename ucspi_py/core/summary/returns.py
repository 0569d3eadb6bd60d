"""Who comes back to a greylist, and when. Never looks at a greylist's records."""

from bisect import bisect_left
from collections import Counter
from typing import NamedTuple

from .events import Came, Visited
from .networks import network
from .recent import Recent

#: Networks that are remembered until they come back.
_REMEMBERED = 50_000
#: Upper bounds of the bars, in seconds; longer ones have a bar of their own.
BOUNDS = (300, 600, 900, 1800, 3600, 2 * 3600, 4 * 3600, 8 * 3600, 24 * 3600, 48 * 3600)


class Returns(NamedTuple):
    """What a greylist did.

    new: first visits. early: that came back too early. passed: that came back late enough. known: that need not wait.
    delays: of those that passed, by upper bound in seconds, None = longer. forgotten: first visits of which is not
    known whether they came back. reasons: why who passed did, as postgrey says it.
    """

    new: int
    early: int
    passed: int
    known: int
    delays: dict[int | None, int]
    forgotten: int = 0
    reasons: tuple[tuple[bytes, int], ...] = ()

    @property
    def stayed_away(self) -> int:
        """First visits that did not come back in this log."""
        return max(self.new - self.passed - self.forgotten, 0)


class TripletReturns:
    """Adds up the visits of triplets: their lines tell all of it."""

    def __init__(self) -> None:
        self._came: Counter[Came] = Counter()
        self._reasons: Counter[bytes] = Counter()
        self._delays = [0] * (len(BOUNDS) + 1)

    def visited(self, event: Visited) -> None:
        """Count a visit."""
        self._came[event.came] += 1
        if event.came in (Came.PASSED, Came.KNOWN) and (event.reason in self._reasons or len(self._reasons) < 50):
            self._reasons[event.reason] += 1
        if event.delay is not None:
            self._delays[bisect_left(BOUNDS, event.delay)] += 1

    def told(self) -> Returns:
        """Sum them up."""
        came, reasons = self._came, tuple(self._reasons.most_common())
        counts = (came[Came.NEW], came[Came.EARLY], came[Came.PASSED], came[Came.KNOWN])
        return Returns(*counts, _bars(self._delays), reasons=reasons)


class NetworkReturns:
    """Adds up the visits of networks: a line tells of a refusal alone, so that who comes back has to be remembered."""

    def __init__(self) -> None:
        self._waiting = Recent[bytes, int | None](_REMEMBERED)
        self._new = self._early = self._passed = self._forgotten = 0
        self._delays = [0] * (len(BOUNDS) + 1)

    def refused(self, ip: bytes, seconds: int | None) -> None:
        """Count a client that has to wait. seconds: since 1970; None = not known."""
        key = network(ip)
        if key in self._waiting:
            self._early += 1
            return
        self._forgotten += self._waiting.put(key, seconds)
        self._new += 1

    def let_in(self, ip: bytes, seconds: int | None) -> None:
        """Count a client that need not wait any more, if it had to. seconds: as of refused()."""
        if not self._waiting:
            return
        key = network(ip)
        if key not in self._waiting:
            return
        since = self._waiting.take(key)
        self._passed += 1
        if since is not None and seconds is not None:
            self._delays[bisect_left(BOUNDS, max(seconds - since, 0))] += 1

    def told(self) -> Returns:
        """Sum them up."""
        return Returns(self._new, self._early, self._passed, 0, _bars(self._delays), self._forgotten)


def _bars(delays: list[int]) -> dict[int | None, int]:
    return dict(zip((*BOUNDS, None), delays, strict=True))
