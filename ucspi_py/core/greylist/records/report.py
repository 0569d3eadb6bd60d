"""What became of first visits: how many never came back, and how long the others took. Never has a store.

Records that have expired are gone, those of who never came back much sooner than those of who did. So visits are
compared within the retry window alone, of which everything is kept.
"""

from bisect import bisect_left
from collections import Counter
from typing import NamedTuple

#: Seconds up to which delays are counted together.
BOUNDS = (60, 120, 300, 600, 1200, 1800, 3600, 7200, 14400, 28800, 86400, 172800)
#: Of all visits, in percent.
_PERCENTS = (50, 75, 90, 95, 99, 100)


class FirstVisit(NamedTuple):
    """A first visit, and what became of it.

    first: seconds since 1970. is_in: it was let in since. waited: seconds until it was first let in; None = it was not,
    or that is not known.
    """

    first: int
    is_in: bool
    waited: int | None = None


class Recent(NamedTuple):
    """First visits within the retry window, in numbers of them.

    let_in: came back and were let in. never: did not come back after the delay. waiting: their delay is not over.
    """

    let_in: int
    never: int
    waiting: int


class Report(NamedTuple):
    """What became of the first visits of one kind of records.

    records: the number of all. recent: those of the retry window. delays: the number of visits whose delay is known.
    unknown: the number of the others that were let in. quantiles: percent -> seconds that so many did not exceed. bars:
    seconds, None = any -> the number of visits that took no longer, but longer than the bar before allows.
    """

    records: int
    recent: Recent
    delays: int
    unknown: int
    quantiles: dict[int, int]
    bars: dict[int | None, int]


class Tally:
    """Counts visits one by one; what it keeps grows no larger than there are different delays.

    now: seconds since 1970. delay, window: those of the greylist, in seconds.
    """

    def __init__(self, now: int, delay: int, window: int) -> None:
        self._now = now
        self._delay = delay
        self._window = window
        self._records = 0
        self._unknown = 0
        self._recent: Counter[str] = Counter()
        self._delays: Counter[int] = Counter()

    def count(self, visit: FirstVisit) -> None:
        """Count one visit more."""
        self._records += 1
        if visit.waited is not None:
            self._delays[visit.waited] += 1
        elif visit.is_in:
            self._unknown += 1
        age = self._now - visit.first
        if age <= self._window:
            self._recent["let_in" if visit.is_in else "never" if age >= self._delay else "waiting"] += 1

    def report(self) -> Report:
        """Sum up."""
        recent = Recent(*(self._recent[name] for name in Recent._fields))
        quantiles, bars = _quantiles(self._delays), _bars(self._delays)
        return Report(self._records, recent, self._delays.total(), self._unknown, quantiles, bars)


def _quantiles(delays: Counter[int]) -> dict[int, int]:
    """The nearest ranks: the shortest delays that so many percent do not exceed."""
    found: dict[int, int] = {}
    seen, every = 0, delays.total()
    for delay in sorted(delays):
        seen += delays[delay]
        found |= {percent: delay for percent in _PERCENTS if percent not in found and seen * 100 >= percent * every}
    return found


def _bars(delays: Counter[int]) -> dict[int | None, int]:
    """The bars from the first to the last that has a height."""
    heights = [0] * (len(BOUNDS) + 1)
    for delay, count in delays.items():
        heights[bisect_left(BOUNDS, delay)] += count
    full = [place for place, height in enumerate(heights) if height]
    bounds = (*BOUNDS, None)
    return {bounds[place]: heights[place] for place in range(full[0], full[-1] + 1)} if full else {}
