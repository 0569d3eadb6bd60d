"""A new program in the place of this master, under the same process id (SIGUSR2). Never loses a client.

First it is tried: started beside us with the same words, by the user that we are, with all that it will have, but for
clients. Where that fails, we stay. Our workers serve until its own do. It is imported at the start: later it might be
the new version's.
"""

import os
import signal
import sys
import time
from collections.abc import Collection, Mapping, Sequence
from contextlib import ExitStack, suppress

from ....core.errors import error_words
from ....core.service import launch_note, loglines, notify
from ....core.service.handover import VARIABLE, HandedGuard, Handover
from ....core.service.worker_slot import WorkerSlot
from ...process import rlimits, signals
from ...process.pathexec import find
from ...supervisor import handover
from ...supervisor.supervision import Supervision
from ..shared import Shared
from ..worker import MASTERS_SIGNALS

#: Seconds that a trial may take: names are looked up, stores are opened.
_PATIENCE = 60.0


class Succession:
    """One master's successor: tried, then in its place."""

    def __init__(self, shared: Shared, supervision: Supervision) -> None:
        self._shared = shared
        self._supervision = supervision
        self._log = shared.log
        self._asked = False
        self._trial: int | None = None
        self._until = 0.0

    def ask(self) -> None:
        """Be followed as soon as all workers serve."""
        self._asked = True

    @property
    def due(self) -> float | None:
        """The second at which look() is to be called though nothing comes; None = at none."""
        return self._until if self._trial else None

    def look(self, ended: Mapping[int, int], slots: Sequence[WorkerSlot], workers: Collection[int]) -> None:
        """Try the new program, and become it where that has gone well.

        ended: wait statuses by process id. workers: process ids of all, those that leave as well.
        """
        if self._trial and self._trial in ended:
            status, self._trial = ended[self._trial], None
            self._judge(status, slots, workers)
        elif self._trial and time.monotonic() >= self._until:
            with suppress(ProcessLookupError):
                os.kill(self._trial, signal.SIGKILL)
        elif self._asked and not self._trial and notify.is_complete(slots):
            self._asked = False
            self._try(workers)

    def _try(self, workers: Collection[int]) -> None:
        try:
            with self._given(self._handover(workers, trial=True)) as given:
                self._trial = os.posix_spawn(
                    given.command[0],
                    given.command,
                    given.environment,
                    setsigdef=self._shared.spawn_attributes.default_signals,
                    setsigmask=self._shared.spawn_attributes.signal_mask,
                )
        except OSError as error:
            self._stay(f"unable to run {_words()[0]}: {error_words(error.errno)}")
        self._until = time.monotonic() + _PATIENCE

    def _judge(self, status: int, slots: Sequence[WorkerSlot], workers: Collection[int]) -> None:
        if status:
            self._stay(f"the new program does not start, its trial ended with status {status}")
        elif notify.is_complete(slots):
            self._become(workers)
        else:
            self._asked = True

    def _become(self, workers: Collection[int]) -> None:
        self._log.warn(loglines.followed())
        self._supervision.reloading()
        mask = signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGTERM, *MASTERS_SIGNALS))
        try:
            with self._given(self._handover(workers, trial=False)) as given:
                _as_we_were_started(self._shared.spawn_attributes.default_signals)
                os.execve(given.command[0], given.command, given.environment)
        except OSError as error:
            self._stay(f"unable to run {_words()[0]}: {error_words(error.errno)}")
        signal.signal(signal.SIGPIPE, signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)

    def _stay(self, why: str) -> None:
        self._log.warn(loglines.warning(f"not restarted: {why}"))

    def _handover(self, workers: Collection[int], *, trial: bool) -> Handover:
        shared = self._shared
        return Handover(
            os.getpid(),
            trial,
            tuple(listener.fileno() for listener in shared.listeners),
            shared.pipes.alive,
            tuple(workers),
            tuple(pid for _, pid in shared.tables.board.backends()),
            tuple(shared.spawn_attributes.signal_mask),
            self._guard(),
            shared.settings.relay_key,
            shared.metrics.listener.fileno() if shared.metrics and shared.metrics.listener else None,
            shared.top.listener.fileno() if shared.top else None,
        )

    def _guard(self) -> HandedGuard | None:
        """The guard, where we have no privileges with which another one could be started."""
        guarded = self._shared.guarded
        if guarded is None or os.geteuid() == 0:
            return None
        task = repr(self._shared.settings.guard_and_keys)
        return HandedGuard(guarded.pid, guarded.channel.fileno(), guarded.keys, task)

    def _given(self, handed: Handover) -> "_Given":
        attributes = self._shared.spawn_attributes
        return _Given(handed, attributes.soft_limits, attributes.descriptors)


class _Given:
    """What the new program is given, within a with block: descriptors that it inherits, and limits as we had them.

    soft_limits: those of softlimit in front of us. files: the soft limit of open files, None = as ours.
    """

    def __init__(self, handed: Handover, soft_limits: rlimits.SoftLimits, files: int | None) -> None:
        self._handed = handed
        self._soft_limits = soft_limits
        self._files = files

    def __enter__(self) -> "_Given":
        with ExitStack() as stack:
            fd = handover.written(self._handed)
            stack.callback(os.close, fd)
            self.environment = {**os.environb, VARIABLE.encode(): b"%d" % fd}
            self.command = self._command()
            for each in (fd, *self._handed.descriptors):
                os.set_inheritable(each, True)
                stack.callback(os.set_inheritable, each, False)
            if self._files is not None:
                stack.enter_context(rlimits.descriptors(self._files))
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_error: object) -> None:
        self._stack.close()

    def _command(self) -> tuple[str, ...]:
        words = _words()
        file = find(words[0])
        if not self._soft_limits:
            return (file, *words[1:])
        return rlimits.under(self._soft_limits, file, words, self.environment)


def _words() -> tuple[str, ...]:
    """The words with which we were started: a launcher's, so that what it stands for now is found; else Python's."""
    if any(word.startswith(launch_note.BEGIN) for word in sys.orig_argv):
        return tuple(sys.argv)
    return (sys.executable, *sys.orig_argv[1:])


def _as_we_were_started(default: Collection[int]) -> None:
    """Ignore no signal but those that were ignored. default: the others; handlers end with the program (execve(2))."""
    for number in (*MASTERS_SIGNALS, *signals.INTERPRETERS):
        signal.signal(number, signal.SIG_DFL if number in default else signal.SIG_IGN)
