"""How often things happen, from sums that only grow. Never reads a clock."""

from collections import deque
from collections.abc import Mapping

#: Seconds over which a rate is taken.
_SECONDS = 10.0
_DIGITS = 2


class Rates:
    """Rates of the last seconds, by name."""

    def __init__(self) -> None:
        self._samples: deque[tuple[float, dict[str, int]]] = deque()

    def note(self, now: float, sums: Mapping[str, int]) -> None:
        """Take the sums of a moment. now: seconds of the monotonic clock."""
        self._samples.append((now, dict(sums)))
        while len(self._samples) > 1 and self._samples[1][0] <= now - _SECONDS:
            self._samples.popleft()

    def per_second(self, now: float, sums: Mapping[str, int]) -> dict[str, float]:
        """The rate of each sum from then to now; 0 before anything was taken. now, sums: as in note()."""
        then, before = self._samples[0] if self._samples else (now, sums)
        seconds = now - then
        if seconds <= 0:
            return dict.fromkeys(sums, 0.0)
        return {name: round((more - before.get(name, 0)) / seconds, _DIGITS) for name, more in sums.items()}
