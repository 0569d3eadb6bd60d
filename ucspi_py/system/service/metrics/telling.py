"""The teller of a service's numbers as the master keeps it, a process beside the workers.

Loaded only where something is counted.
"""

import os
from functools import partial

from ....core.metrics.exposition import TEXT, Format, exposed
from ....core.metrics.names import LOG_LINES_LOST, WORKER_RESTARTS
from ....core.service import loglines
from ...accept.parent import Parent
from ...metrics import master_process
from ...metrics.gathered import Sources, gathered
from ...metrics.place import leave
from ...metrics.teller import Teller
from ...metrics.waiting import doors
from ...metrics.written import write
from ...process import signals
from ...report.complaints import Complaints
from ..observers.beside import Beside
from ..shared import Shared, SharedMetrics


class Telling:
    """What the master does for the numbers. metrics: where they are counted, and told, if to anybody."""

    def __init__(self, shared: Shared, metrics: SharedMetrics) -> None:
        self._shared = shared
        self._metrics = metrics
        self._doors = doors(shared.listeners)
        kept = {
            shared.pipes.death,
            shared.pipes.lame,
            *(() if metrics.listener is None else (metrics.listener.fileno(),)),
        }
        is_told = metrics.settings.place is not None or metrics.settings.file is not None
        self._teller = Beside(shared.log, "metrics", kept, self._tell) if is_told else None
        shared.log.on_loss = partial(metrics.counters.masters.count, LOG_LINES_LOST.first)

    def due(self) -> float | None:
        """The second from which the next teller is to be forked; None where there is one, or none is needed."""
        return self._teller.due() if self._teller else None

    def look(self, standing: int) -> None:
        """Have a teller, if it is time for one. standing: how many workers serve."""
        self._metrics.counters.stand(standing)
        if self._teller:
            self._teller.look()

    def ended(self, pid: int, status: int, *, is_worker: bool) -> None:
        """Take up the end of a child. pid: its process id. status: raw, as wait(2) gives it."""
        if is_worker:
            self._metrics.counters.ended(pid)
            self._metrics.counters.masters.count(WORKER_RESTARTS.first, status != 0)
        elif self._teller:
            self._teller.ended(pid, status)

    def close(self) -> None:
        """Take the numbers' socket away."""
        leave(self._metrics.settings.place)

    def _unready(self) -> str:
        """Why a balancer should send no client here; "" = it may."""
        if signals.readable(0, self._shared.pipes.lame):
            return "lame: it is about to stop"
        return "" if self._metrics.counters.standing() else "no worker accepts clients"

    def _tell(self) -> None:
        tables, counters = self._shared.tables, self._metrics.counters
        tls, settings = self._shared.tls, self._shared.settings
        certificates = tls.contexts.ends if tls else tuple
        sources = Sources(settings, counters, tables.board, tables.zones, tables.totals, self._doors, certificates)
        service, master, parent = (("service", self._metrics.service),), os.getppid(), Parent()
        file = self._metrics.settings.file

        def tell(form: Format) -> bytes:
            return exposed((*gathered(sources), *master_process.families(master)), service, form)

        Teller(
            tell,
            lambda: not parent.is_stopped(),
            self._unready,
            None if file is None else lambda: write(file, exposed(gathered(sources), service, TEXT)),
            Complaints(lambda sentence: self._shared.log.warn(loglines.warning(sentence))),
        ).run(self._metrics.listener, self._shared.pipes.death)
