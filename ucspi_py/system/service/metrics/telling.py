"""The teller of a service's numbers as the master keeps it: forked beside the workers, and again whenever it ends.

Loaded only where numbers are asked for.
"""

import os
import signal
import time
import traceback
from functools import partial
from typing import NoReturn

from ....core.errors import error_words
from ....core.metrics.exposition import TEXT, Format, exposed
from ....core.metrics.names import LOG_LINES_LOST, WORKER_RESTARTS
from ....core.service import loglines, worker_slot
from ....core.service.worker_slot import WorkerSlot
from ...accept.parent import Parent
from ...metrics import master_process
from ...metrics.gathered import Sources, gathered
from ...metrics.place import leave
from ...metrics.teller import Teller
from ...metrics.written import write
from ...process import descriptors, signals
from ...report.complaints import Complaints
from ..shared import Shared, SharedMetrics


class Telling:
    """What the master does for the numbers. metrics: where they are counted, and told."""

    def __init__(self, shared: Shared, metrics: SharedMetrics) -> None:
        self._shared = shared
        self._metrics = metrics
        self._slot = WorkerSlot()
        shared.log.on_loss = partial(metrics.counters.masters.count, LOG_LINES_LOST.first)

    def due(self) -> float | None:
        """The second from which the next teller is to be forked; None where there is one."""
        return worker_slot.next_fork(self._slot)

    def look(self, standing: int) -> None:
        """Have a teller, if it is time for one. standing: how many workers serve."""
        self._metrics.counters.stand(standing)
        due = self.due()
        if due is not None and due <= time.monotonic():
            self._fork()

    def ended(self, pid: int, status: int, *, is_worker: bool) -> None:
        """Take up the end of a child. pid: its process id. status: raw, as wait(2) gives it."""
        if is_worker:
            self._metrics.counters.ended(pid)
            self._metrics.counters.masters.count(WORKER_RESTARTS.first, status != 0)
        elif pid in worker_slot.workers(self._slot):
            self._shared.log.warn(loglines.warning(f"metrics: process {pid} ended with status {status}"))
            self._slot = worker_slot.ended(self._slot, pid, time.monotonic())

    def close(self) -> None:
        """Take the numbers' socket away."""
        leave(self._metrics.settings.place)

    def _fork(self) -> None:
        with signals.all_blocked():
            try:
                pid = os.fork()
            except OSError as error:
                self._shared.log.warn(loglines.warning(f"unable to fork: {error_words(error.errno)}"))
                self._slot = worker_slot.not_forked(self._slot, time.monotonic())
                return
            if not pid:
                self._become_teller()
        self._slot = worker_slot.forked(self._slot, pid, time.monotonic())

    def _become_teller(self) -> NoReturn:
        """The forked child's one call: it never returns into the master's code."""
        status = 111
        try:
            self._shared.log.on_loss = None
            _leave_all_but(self._metrics, self._shared.pipes.death)
            self._teller().run(self._metrics.listener, self._shared.pipes.death)
            status = 0
        except BaseException as error:  # whatever it is, it is told and ends here
            lines = traceback.format_exception(error)
            self._shared.log.warn(*(text.encode("utf-8", "replace") for text in lines))
        finally:
            os._exit(status)

    def _teller(self) -> Teller:
        tables, counters = self._shared.tables, self._metrics.counters
        sources = Sources(self._shared.settings, counters, tables.board, tables.zones, tables.totals)
        service, master, parent = (("service", self._metrics.service),), os.getppid(), Parent()
        file = self._metrics.settings.file

        def tell(form: Format) -> bytes:
            return exposed((*gathered(sources), *master_process.families(master)), service, form)

        return Teller(
            tell,
            lambda: not parent.is_stopped(),
            lambda: counters.standing() > 0,
            None if file is None else lambda: write(file, exposed(gathered(sources), service, TEXT)),
            Complaints(lambda sentence: self._shared.log.warn(loglines.warning(sentence))),
        )


def _leave_all_but(metrics: SharedMetrics, death: int) -> None:
    """Leave to master and workers what is theirs: descriptors and signals."""
    signal.set_wakeup_fd(-1)
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2, signal.SIGALRM):
        signal.signal(number, signal.SIG_IGN)
    for number in (signal.SIGTERM, signal.SIGCHLD):
        signal.signal(number, signal.SIG_DFL)
    descriptors.close_all_but({death, *(() if metrics.listener is None else (metrics.listener.fileno(),))})
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
