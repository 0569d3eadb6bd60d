"""What the master does for those who ask for numbers and for who is inside. Loaded parts only where anybody does."""

from collections.abc import Collection, Iterator, Mapping
from typing import TYPE_CHECKING

from ...report import forms
from ...report.connection_log import ConnectionLog
from ..shared import Shared

if TYPE_CHECKING:
    from ..metrics.telling import Telling
    from ..top.showing import Showing


class Observers:
    """The processes beside the workers of one master."""

    def __init__(self, shared: Shared) -> None:
        self._shared = shared
        self._telling = _telling(shared)
        self._showing = _showing(shared)

    def due(self) -> Iterator[float]:
        """Yield the seconds at which look() has something to do."""
        for one in (self._telling, self._showing):
            due = one.due() if one else None
            if due is not None:
                yield due

    def look(self, standing: int) -> None:
        """Have each process, if it is time for one. standing: how many workers serve."""
        if self._telling:
            self._telling.look(standing)
        if self._showing:
            self._showing.look()

    def ended(self, ended: Mapping[int, int], dead: Collection[int]) -> None:
        """Take up the ends of children. ended: wait statuses by process id. dead: those of workers."""
        for pid, status in ended.items():
            if self._telling:
                self._telling.ended(pid, status, is_worker=pid in dead)
            if self._showing:
                self._showing.ended(pid, status)

    def leave(self) -> None:
        """Close in a worker what is the master's."""
        if self._shared.metrics and self._shared.metrics.listener:
            self._shared.metrics.listener.close()
        if self._shared.top:
            self._shared.top.listener.close()

    def close(self) -> None:
        """Take the sockets away."""
        for one in (self._telling, self._showing):
            if one:
                one.close()


def connection_log(shared: Shared) -> ConnectionLog:
    """Make what tells of the programs of dead workers, and counts them, where numbers are asked for."""
    made = (shared.log, shared.tables.board, shared.settings.limit)
    if shared.metrics is None:
        return forms.connection_log(*made)
    from ...metrics.counted_log import counted_log

    return counted_log(*made, shared.metrics.counters.masters)


def _telling(shared: Shared) -> "Telling | None":
    if shared.metrics is None:
        return None
    from ..metrics.telling import Telling

    return Telling(shared, shared.metrics)


def _showing(shared: Shared) -> "Showing | None":
    if shared.top is None or shared.metrics is None:
        return None
    from ..top.showing import Showing

    return Showing(shared, shared.metrics, shared.top)
