"""A process that the master keeps beside its workers: forked, and again whenever it ends. It serves no client."""

import os
import signal
import time
import traceback
from collections.abc import Callable, Collection
from typing import NoReturn

from ....core.errors import error_words
from ....core.service import loglines, worker_slot
from ....core.service.worker_slot import WorkerSlot
from ...process import descriptors, signals
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
        with signals.all_blocked():
            try:
                pid = os.fork()
            except OSError as error:
                self._log.warn(loglines.warning(f"unable to fork: {error_words(error.errno)}"))
                self._slot = worker_slot.not_forked(self._slot, time.monotonic())
                return
            if not pid:
                self._begin()
        self._slot = worker_slot.forked(self._slot, pid, time.monotonic())

    def _begin(self) -> NoReturn:
        """The forked child's one call: it never returns into the master's code."""
        status = 111
        try:
            self._log.on_loss = None
            self._leave_the_rest()
            self._work()
            status = 0
        except BaseException as error:  # whatever it is, it is told and ends here
            lines = traceback.format_exception(error)
            self._log.warn(*(text.encode("utf-8", "replace") for text in lines))
        finally:
            os._exit(status)

    def _leave_the_rest(self) -> None:
        """Leave to master and workers what is theirs: descriptors and signals."""
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGINT, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2, signal.SIGALRM):
            signal.signal(number, signal.SIG_IGN)
        for number in (signal.SIGTERM, signal.SIGCHLD):
            signal.signal(number, signal.SIG_DFL)
        descriptors.close_all_but(set(self._kept))
        signal.pthread_sigmask(signal.SIG_SETMASK, ())
