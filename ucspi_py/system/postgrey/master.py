"""The master of a policy server: keeps its processes alive, and passes signals on. Never touches a client."""

import os
import signal
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from ...core.errors import error_words
from ...core.postgrey import loglines
from ...core.service import worker_slot
from ...core.service.worker_slot import WorkerSlot
from ..process import children, signals
from ..report.log import Log

if TYPE_CHECKING:
    from .zones import Zones

NOTED = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1, signal.SIGCHLD)
_STOP = frozenset((signal.SIGTERM, signal.SIGINT))
#: Seconds that the processes have to end, before they are killed.
_ENDING = 5.0
#: Seconds between two reports of what the zones are good for.
_REPORTS = 3600.0


class Master:
    """Keeps one process in each slot.

    processes: how many. work: what each of them does, given a descriptor that ends with the master. zones: None = none
    are asked.
    """

    def __init__(
        self, processes: int, work: Callable[[int], None], noted: signals.Signals, log: Log, zones: "Zones | None"
    ) -> None:
        self._slots = [WorkerSlot() for _ in range(processes)]
        self._work = work
        self._signals = noted
        self._log = log
        self._zones = zones
        self._death, self._alive = os.pipe()
        self._report_at = time.monotonic() + _REPORTS

    def run(self) -> None:
        """Serve until told to stop."""
        while True:
            self._fill()
            signals.readable(self._patience(), self._signals.fd)
            noted = self._signals.take()
            if noted & _STOP:
                self._stop()
                return
            if signal.SIGHUP in noted:
                self._reload()
            if self._zones and (signal.SIGUSR1 in noted or time.monotonic() >= self._report_at):
                self._report_at = time.monotonic() + _REPORTS
                self._log.warn(*self._zones.totals())
            self._reap()

    def _fill(self) -> None:
        for number, slot in enumerate(self._slots):
            due = worker_slot.next_fork(slot)
            if due is not None and due <= time.monotonic():
                self._slots[number] = self._employ(slot)

    def _patience(self) -> float | None:
        """Seconds until something is to be done though no signal comes; None where nothing will be."""
        times = [due for slot in self._slots if (due := worker_slot.next_fork(slot)) is not None]
        if self._zones:
            times.append(self._report_at)
        return max(0.0, min(times) - time.monotonic()) if times else None

    def _employ(self, slot: WorkerSlot) -> WorkerSlot:
        try:
            pid = children.begin(self._serve, self._log.warn)
        except OSError as error:
            self._log.warn(loglines.warning(f"unable to fork: {error_words(error.errno)}"))
            return worker_slot.not_forked(slot, time.monotonic())
        return worker_slot.stood(worker_slot.forked(slot, pid, time.monotonic()), pid)[0]

    def _serve(self) -> None:
        """Answer, in a forked child."""
        self._signals.close()
        os.close(self._alive)
        self._work(self._death)

    def _reload(self) -> None:
        self._log.warn(loglines.reloading())
        if self._zones:
            self._zones.test_soon()
        self._tell(signal.SIGHUP)

    def _reap(self) -> None:
        for pid, status in children.reap():
            for number, slot in enumerate(self._slots):
                if pid in worker_slot.workers(slot):
                    self._log.warn(loglines.warning(f"process {pid} ended with status {status}, starting another"))
                    self._slots[number] = worker_slot.ended(slot, pid, time.monotonic())

    def _stop(self) -> None:
        """Have all processes end, and see that they have."""
        self._tell(signal.SIGTERM)
        until = time.monotonic() + _ENDING
        left = self._pids()
        while left and time.monotonic() < until:
            signals.readable(until - time.monotonic(), self._signals.fd)
            self._signals.take()
            left -= {pid for pid, _ in children.reap()}
        for pid in left:
            os.kill(pid, signal.SIGKILL)

    def _tell(self, number: int) -> None:
        for pid in self._pids():
            os.kill(pid, number)

    def _pids(self) -> set[int]:
        return set().union(*map(worker_slot.workers, self._slots))
