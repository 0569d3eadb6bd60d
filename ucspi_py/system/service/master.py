"""The master: keeps its workers alive, reaps, reports. Never touches a client."""

import gc
import math
import os
import signal
import time
from functools import partial
from typing import TYPE_CHECKING

from ...core.dnsbl import loglines as dnsbl_loglines
from ...core.errors import error_words
from ...core.guard import loglines as guard_loglines
from ...core.service import loglines, notify, worker_slot
from ...core.service.worker_slot import WorkerSlot
from ...core.smtp import loglines as smtp_loglines
from ..process import children, orphans, signals
from ..report import title
from ..supervisor.supervision import Supervision
from .observers.in_master import Observers, connection_log
from .reaper import Reaper
from .restart.succession import Succession
from .shared import Shared
from .worker import Worker

if TYPE_CHECKING:
    from ...core.service.handover import Handover

_STOP = frozenset((signal.SIGTERM, signal.SIGINT))

#: Seconds given to the workers to close the listener before they are killed for it.
_CLOSING_TIME = 2.0

#: Seconds between two reports of what the zones are good for.
_REPORTS = 3600.0

#: New objects after which a worker looks for cycles that are no longer used. It makes next to none, but remembers what
#: zones have said, and goes through all of it.
_COLLECT_AFTER = 20_000

#: Seconds between two looks for backends that have gone, where the system does not tell us.
_MISSING_LOOKS = 1.0


class Master:
    """Keeps one worker in each worker slot."""

    def __init__(
        self, shared: Shared, noted: signals.Signals, supervision: Supervision, handed: "Handover | None" = None
    ) -> None:
        settings = shared.settings
        self._log = shared.log
        self._shared = shared
        self._pipes = shared.pipes
        self._signals = noted
        self._supervision = supervision
        self._board = shared.tables.board
        self._worker_slots = [WorkerSlot() for _ in range(min(settings.workers, settings.limit))]
        self._handed = handed
        self._leaving: set[int] = set(handed.workers if handed else ())
        self._succession = Succession(shared, supervision)
        self._stop_at = math.inf
        self._inherited = set(handed.backends if handed else ())
        self._adopting = orphans.adopt()
        self._observers = Observers(shared)
        self._reaper = Reaper(self._board, connection_log(shared), adopting=self._adopting)
        self._totals_names = settings.program.totals_names
        self._report_at = time.monotonic() + _REPORTS

    def run(self) -> None:
        """Serve until told to stop; backends live on."""
        # What is there now stays: the workers' collectors need not look at it, nor make its pages their own.
        gc.freeze()
        gc.set_threshold(_COLLECT_AFTER)
        while True:
            self._fill_worker_slots()
            self._observers.look(sum(slot.serving is not None for slot in self._worker_slots))
            signals.readable(self._patience(), self._signals.fd, self._pipes.standing)
            noted = self._signals.take()
            if (noted & _STOP and not self._is_lame_first()) or time.monotonic() >= self._stop_at:
                self._stop()
                return
            if signal.SIGHUP in noted:
                self._relieve()
            if signal.SIGUSR2 in noted:
                self._succession.ask()
            if signal.SIGUSR1 in noted or time.monotonic() >= self._report_at:
                self._report()
            self._let_predecessors_leave()
            self._let_old_master_go()
            ended = self._reap()
            self._succession.look(ended, self._worker_slots, self._workers())

    def _fill_worker_slots(self) -> None:
        for number, slot in enumerate(self._worker_slots):
            due = worker_slot.next_fork(slot)
            if due is not None and due <= time.monotonic():
                self._worker_slots[number] = self._employ(number, slot)

    def _patience(self) -> float | None:
        """Seconds until something is to be done though no signal comes; None where nothing will be."""
        times = [due for slot in self._worker_slots if (due := worker_slot.next_fork(slot)) is not None]
        if self._succession.due:
            times.append(self._succession.due)
        times.extend(self._observers.due())
        if self._stop_at < math.inf:
            times.append(self._stop_at)
        if self._totals_names:
            times.append(self._report_at)
        if not self._adopting:
            times.append(time.monotonic() + _MISSING_LOOKS)
        return max(0.0, min(times) - time.monotonic()) if times else None

    def _employ(self, number: int, slot: WorkerSlot) -> WorkerSlot:
        metrics = self._shared.metrics
        column = metrics.counters.free() if metrics else None
        try:
            pid = children.begin(partial(self._work, number, column), self._log.warn)
        except OSError as error:
            self._log.warn(loglines.warning(f"unable to fork a worker: {error_words(error.errno)}"))
            return worker_slot.not_forked(slot, time.monotonic())
        if metrics and column is not None:
            metrics.counters.given(column, pid)
        return worker_slot.forked(slot, pid, time.monotonic())

    def _work(self, number: int, column: int | None) -> None:
        """Be a worker, in a forked child. number: of its slot, from 0."""
        title.show_as(b"tcpserver/w%d" % (number + 1))
        self._signals.close()
        self._pipes.close_masters_ends()
        self._supervision.close()
        if self._handed:
            os.close(self._handed.alive)
        self._observers.leave()
        Worker(self._shared, column).run()

    def _let_predecessors_leave(self) -> None:
        """Whoever has a successor that stands finishes the clients that it has: nobody is turned away."""
        standing = self._pipes.who_stands()
        for pid in standing:
            for number, slot in enumerate(self._worker_slots):
                self._worker_slots[number], predecessor = worker_slot.stood(slot, pid)
                if predecessor:
                    self._leaving.add(predecessor)
                    os.kill(predecessor, signal.SIGTERM)
        self._supervision.look(self._worker_slots, standing)

    def _let_old_master_go(self) -> None:
        """Its workers have served until all of ours do; now they finish the clients that they have."""
        if self._handed is None or not notify.is_complete(self._worker_slots):
            return
        for pid in self._leaving.intersection(self._handed.workers):
            os.kill(pid, signal.SIGTERM)
        os.close(self._handed.alive)
        self._handed = None

    def _reap(self) -> dict[int, int]:
        ended = dict(children.reap())
        dead = self._workers().intersection(ended)
        for number, slot in enumerate(self._worker_slots):
            for pid in worker_slot.workers(slot) & dead:
                self._log.warn(loglines.warning(f"worker {pid} ended with status {ended[pid]}, starting another"))
                self._worker_slots[number] = worker_slot.ended(self._worker_slots[number], pid, time.monotonic())
        self._leaving -= dead
        self._observers.ended(ended, dead)
        guarded = self._shared.guarded
        if guarded and guarded.pid in ended:
            self._log.warn(guard_loglines.gone(guarded.pid, ended[guarded.pid]))
        self._reaper.clear(ended, dead, self._workers())
        if dead and self._inherited:
            self._reaper.inherit(self._inherited, ended)
        return ended

    def _report(self) -> None:
        """Say what the zones are good for and what the screens have done: on SIGUSR1, and every hour."""
        self._report_at = time.monotonic() + _REPORTS
        if not self._totals_names:
            return
        zones = zip(self._shared.settings.program.zones, self._shared.tables.zones.records(), strict=True)
        held = len(self._board.pending) - self._board.free(self._board.pending)
        self._log.warn(
            *(dnsbl_loglines.zone_totals(zone.alias, record.totals()) for zone, record in zones),
            *(smtp_loglines.totals(name, *self._shared.tables.totals.read(name), held) for name in self._totals_names),
        )

    def _relieve(self) -> None:
        """Have a new worker follow in each worker slot.

        What is known of the zones is tested anew: whoever sends SIGHUP may have mended something.
        """
        self._supervision.reloading()
        self._log.detail(loglines.reloading(os.getpid(), len(self._worker_slots)))
        for number in range(len(self._shared.settings.program.zones)):
            self._shared.tables.zones.test_soon(number)
        self._worker_slots = [worker_slot.to_be_relieved(slot) for slot in self._worker_slots]

    def _is_lame_first(self) -> bool:
        """Whether we serve on for a while, and only proxies see that we stop (--lame); a second signal is none."""
        seconds = self._shared.settings.lame_seconds
        if not seconds or self._stop_at < math.inf:
            return False
        self._stop_at = time.monotonic() + seconds
        os.write(self._pipes.say_lame, b"\n")
        self._log.warn(loglines.lame(seconds))
        self._supervision.lame(seconds)
        return True

    def _stop(self) -> None:
        """Stop listening everywhere before we are gone, so that a new server can listen at once."""
        for listener in self._shared.listeners:
            listener.close()
        self._observers.close()
        os.close(self._pipes.listening)
        self._tell_workers(signal.SIGTERM)
        if not signals.readable(_CLOSING_TIME, self._pipes.all_closed):
            self._tell_workers(signal.SIGKILL)
        self._log.detail(loglines.stopping(os.getpid(), self._board.running(), self._shared.settings.limit))

    def _tell_workers(self, number: int) -> None:
        for pid in self._workers():
            os.kill(pid, number)

    def _workers(self) -> set[int]:
        """The process ids of all workers that have not ended."""
        return self._leaving.union(*map(worker_slot.workers, self._worker_slots))
