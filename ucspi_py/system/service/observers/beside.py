"""A process that the master keeps beside its workers: forked, and again whenever it ends. It serves no client."""

import signal
import time
from collections.abc import Callable, Collection

from ....core.errors import error_words
from ....core.service import loglines, worker_slot
from ....core.service.worker_slot import WorkerSlot
from ...process import children, descriptors
from ...report.log import Log


class Beside:
    """One such process. name: in log lines. kept: descriptors that it keeps. work: what it does until it ends."""

    def __init__(self, log: Log, name: str, kept: Collection[int], work: Callable[[], None]) -> None:
        self._log = log
        self._name = name
        self._kept = kept
        self._work = work
        self._slot = WorkerSlot()

    def due(self) -> float | None:
        """The second from which the next one is to be forked; None where there is one."""
        return worker_slot.next_fork(self._slot)

    def look(self) -> None:
        """Fork, if it is time to."""
        due = self.due()
        if due is not None and due <= time.monotonic():
            self._fork()

    def ended(self, pid: int, status: int) -> None:
        """Take up the end of a child, ours or not. pid: its process id. status: raw, as wait(2) gives it."""
        if pid in worker_slot.workers(self._slot):
            self._log.warn(loglines.warning(f"{self._name}: process {pid} ended with status {status}"))
            self._slot = worker_slot.ended(self._slot, pid, time.monotonic())

    def _fork(self) -> None:
        try:
            pid = children.begin(self._begin, self._log.warn)
        except OSError as error:
            self._log.warn(loglines.warning(f"unable to fork: {error_words(error.errno)}"))
            self._slot = worker_slot.not_forked(self._slot, time.monotonic())
            return
        self._slot = worker_slot.forked(self._slot, pid, time.monotonic())

    def _begin(self) -> None:
        """Do what is to be done, in a forked child."""
        self._log.on_loss = None
        self._leave_the_rest()
        self._work()

    def _leave_the_rest(self) -> None:
        """Leave to master and workers what is theirs: descriptors and signals."""
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGINT, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2, signal.SIGALRM):
            signal.signal(number, signal.SIG_IGN)
        for number in (signal.SIGTERM, signal.SIGCHLD):
            signal.signal(number, signal.SIG_DFL)
        descriptors.close_all_but(set(self._kept))
        signal.pthread_sigmask(signal.SIG_SETMASK, ())
