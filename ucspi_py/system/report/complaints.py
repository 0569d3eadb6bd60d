"""What is wrong around us, said once a minute and not for each client. Never decides what is wrong."""

import time
from collections.abc import Callable

#: Seconds between two lines about the same trouble, and how many troubles are known apart: some name a file.
_INTERVAL, _KINDS = 60.0, 100


class Complaints:
    """Passes sentences on, each once a minute. say: gets them. clock: gives monotonic seconds."""

    def __init__(self, say: Callable[[str], None], clock: Callable[[], float] = time.monotonic) -> None:
        self._say = say
        self._clock = clock
        self._silent_until: dict[str, float] = {}

    def __call__(self, sentence: str, say: Callable[[str], None] | None = None) -> None:
        """Say a sentence, unless it was said within the last minute. say: gets this one; None = whoever gets all."""
        now = self._clock()
        if now < self._silent_until.get(sentence, now):
            return
        if len(self._silent_until) >= _KINDS:
            self._silent_until.clear()
        self._silent_until[sentence] = now + _INTERVAL
        (say or self._say)(sentence)

    def by(self, say: Callable[[str], None]) -> "ComplaintsBy":
        """Pass sentences on by another one who says them, as of one client."""
        return ComplaintsBy(self, say)


class ComplaintsBy:
    """Passes sentences on as Complaints does, by somebody else. A third of the size of a partial with a keyword."""

    __slots__ = ("_complain", "_say")

    def __init__(self, complain: Complaints, say: Callable[[str], None]) -> None:
        self._complain = complain
        self._say = say

    def __call__(self, sentence: str) -> None:
        """Say a sentence, as Complaints does."""
        self._complain(sentence, self._say)
