"""One message and the look-ups for it, turn by turn. Never decides what follows from a value."""

import time
from collections.abc import Callable, Iterator

from ....core.gate.content.checked import Lookup
from ....core.gate.content.message import CheckedMessage
from ....core.gate.maps.names import MapName
from ....core.gate.restrictions.questions import MapOutcome
from ...expressions.budget import Budget
from ..tables import Tables

#: Seconds of a turn, unless one search takes longer, which the budget ends.
_TURN = 0.005


class Checking:
    """One message, and the look-ups for it."""

    def __init__(
        self, message: CheckedMessage, tables: Tables, budget: Budget, complain: Callable[[str], None]
    ) -> None:
        self.message = message
        self._tables = tables
        self._budget = budget
        self._complain = complain
        self._skipped: dict[MapName, set[int]] = {}
        self._steps = self._work(None)

    def go_on(self) -> None:
        """Have a turn: work until it is over, or all that came is done."""
        until = time.monotonic() + _TURN
        self._budget.spend(lambda: self._go_on(until))
        for complaint in self.message.complaints:
            self._complain(complaint)
        self.message.complaints.clear()

    def _go_on(self, until: float) -> None:
        for _ in self._steps:
            if time.monotonic() > until:
                return
        self._steps = self._work(None)

    def _work(self, answer: MapOutcome) -> Iterator[None]:
        """Work through what came, with a step for each rule that is looked at."""
        while True:
            lookup = self.message.next(answer)
            answer = None
            if lookup:
                for found in self._found(lookup):
                    answer = found
                    yield
            elif self.message.is_done:
                return
            else:
                yield

    def _found(self, lookup: Lookup) -> Iterator[MapOutcome]:
        """None for each step, and at last the value, if there is one (maps.c, maps_find)."""
        for name in lookup.maps:
            for found in self._tables.walk(name, lookup.key, self._skipped.setdefault(name, set())):
                yield found
                if found is not None:
                    return
