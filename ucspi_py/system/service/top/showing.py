"""The process that tells who is inside, as the master keeps it. Loaded only with --top."""

from ....core.metrics.names import CONNECTIONS, DECISIONS
from ...accept import unix_listener
from ...metrics.counters import Counters
from ...top.answering import Answering
from ...top.snapshot import Snapshots, Sources
from ..observers.beside import Beside
from ..shared import Shared, SharedMetrics, SharedTop


class Showing(Beside):
    """What the master does for pyucspitop. metrics: where clients are counted. top: where it asks."""

    def __init__(self, shared: Shared, metrics: SharedMetrics, top: SharedTop) -> None:
        super().__init__(shared.log, "top", (shared.pipes.death, top.listener.fileno()), self._show)
        self._shared = shared
        self._metrics = metrics
        self._top = top

    def close(self) -> None:
        """Take the socket away."""
        unix_listener.remove(self._top.path)

    def _show(self) -> None:
        shared, counters = self._shared, self._metrics.counters
        sources = Sources(
            shared.settings,
            self._metrics.service,
            self._top.ports,
            shared.tables.board,
            shared.tables.zones,
            self._top.inside,
            lambda: _sums(counters),
            counters.standing,
        )
        Answering(Snapshots(sources)).run(self._top.listener, shared.pipes.death)


def _sums(counters: Counters) -> dict[str, int]:
    decisions = {labels[0][1]: counters.sum(DECISIONS.first + at) for at, labels in enumerate(DECISIONS.label_sets())}
    return {"connections": sum(map(counters.sum, range(CONNECTIONS.first, CONNECTIONS.end))), **decisions}
