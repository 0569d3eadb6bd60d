"""One worker: accepts from the shared listener, serves, reaps. Never touches another worker's clients."""

import os
import signal
import socket
from dataclasses import dataclass

from ...core.client.connection import Endpoints, Names
from ...core.dns.message import Ask
from ...core.rules.data import DEFAULT
from ...core.settings import ServerSettings
from ..accept.arrivals import Arrivals
from ..accept.listener import Listener
from ..accept.scoreboard import Place, Scoreboard
from ..backend.spawn import Launcher, SpawnAttributes
from ..backend.spawn_batch import Session
from ..dnsbl.client import DnsblClient
from ..dnsbl.shared_state import SharedZones
from ..lookup import names
from ..process.loop import new_loop
from ..process.signals import Signals
from ..report.connection_log import ConnectionLog
from ..report.log import Log
from ..report.totals import SharedTotals
from ..rules.live import RulesFile
from ..screens import kinds as screens
from .admission import Admission, waits
from .pipes import say_standing
from .session import Decide, Service, serve
from .tasks import Tasks

#: For the master to act on; a terminal sends them to every process of the group.
MASTERS_SIGNALS = (signal.SIGINT, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2, signal.SIGALRM)


@dataclass(frozen=True, slots=True)
class Shared:
    """What the master hands to each of its workers.

    death_pipe: readable once the master is gone. open_door: held open for as long as this worker listens. stand: where
    it says that it serves.
    """

    settings: ServerSettings
    log: Log
    listener: Listener
    board: Scoreboard
    arrivals: Arrivals | None
    zone_board: SharedZones
    totals: SharedTotals
    death_pipe: int
    listening: int
    stand: int
    environment: dict[bytes, bytes]
    spawn_attributes: SpawnAttributes
    ask: Ask


class Worker:
    """Serves until told to drain (SIGTERM, or the master is gone); then finishes the clients it has and ends."""

    def __init__(self, shared: Shared) -> None:
        settings = shared.settings
        self._loop = new_loop()
        self._shared = shared
        self._draining = False
        self._tasks = Tasks(self._loop, shared.log, self._on_end)
        self._connection_log = ConnectionLog(shared.log, shared.board, settings.limit)
        self._admission = Admission(settings, shared.listener, shared.board, self._connection_log, self._tasks)
        self._dnsbl = DnsblClient(settings.program, shared.zone_board, shared.totals, shared.ask, shared.log)
        self._service = Service(
            settings=settings,
            connection_log=self._connection_log,
            board=shared.board,
            arrivals=shared.arrivals,
            slots=self._admission.slots,
            rest=self._admission.rest,
            # With nobody to wait for, a connection runs straight through and costs no task.
            in_bursts=not waits(settings),
            decide=_decider(settings),
            environment=shared.environment,
            static_names=None if names.wanted(settings) else Names(settings.local_name, None, None),
            launcher=Launcher(settings.program.argv, shared.spawn_attributes),
            ask=shared.ask,
            screens=screens.in_service(settings.program.screens, self._dnsbl, self._connection_log, shared.log),
            held=self._admission.held,
        )

    def run(self) -> None:
        """Serve; returns when drained."""
        self._signals = Signals(signal.SIGTERM, signal.SIGCHLD)
        for number in MASTERS_SIGNALS:
            signal.signal(number, signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_SETMASK, ())
        self._loop.add_reader(self._signals.fd, self._on_signals)
        self._loop.add_reader(self._shared.death_pipe, self._drain)
        for screen in self._service.screens:
            self._tasks.take_on(screen.open())
        if self._service.settings.program.zones:
            self._tasks.keep_going(self._dnsbl.watch)
        self._admission.open(self._serve)
        say_standing(self._shared.stand)
        self._loop.run_forever()
        self._tasks.stop()
        self._dnsbl.share()

    def _serve(self, client: socket.SocketType, endpoints: Endpoints, place: Place | None) -> Session:
        return serve(self._service, client, endpoints, place)

    def _on_end(self) -> None:
        self._admission.changed()

    def _on_signals(self) -> None:
        noted = self._signals.take()
        if signal.SIGCHLD in noted:
            self._reap()
        if signal.SIGTERM in noted:
            self._drain()

    def _reap(self) -> None:
        """One sweep takes all that have ended. Only the loop sweeps, so a pid is always known before its end is."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if not pid:
                return
            try:
                self._admission.slots.ended(pid)
                self._connection_log.ended(pid, status)
            except Exception as error:  # or nobody would reap the others before the next one ends
                self._tasks.failed(error)

    def _drain(self) -> None:
        """Stop listening at once, so that no new client is lost in a dying worker; let those inside finish."""
        self._loop.remove_reader(self._shared.death_pipe)
        if not self._draining:
            self._draining = True
            self._admission.close()
            os.close(self._shared.listening)


def _decider(settings: ServerSettings) -> Decide:
    if settings.rules is None:
        return lambda *_client: DEFAULT
    return RulesFile(settings.rules, settings.allow_no_rules).decide
