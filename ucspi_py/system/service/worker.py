"""One worker: accepts from the shared listener, serves, reaps. Never touches another worker's clients."""

import os
import signal
from functools import partial
from typing import TYPE_CHECKING

from ...core.service import loglines
from ...core.top.watch import UNWATCHED
from ..accept.client_counter import ClientCounter
from ..backend.backends import Backends
from ..backend.spawn import Launcher
from ..dnsbl.client import DnsblClient
from ..gate.gate import Gate
from ..gate.trust import NOBODY, Trust
from ..lookup.names import NameLookup
from ..process import children
from ..process.loop import new_loop
from ..process.signals import Signals
from ..report.tasks import Tasks
from ..report.totals import WorkerTotals
from ..rules.live import decider
from ..screens import kinds
from ..screens.screen import Host
from .admission import Admission
from .context import Service, Tls
from .observers import in_worker
from .pipes import keep_saying, say_standing
from .reaper import WithoutMaster
from .shared import Shared

if TYPE_CHECKING:
    from ...core.gate.logins.settings import LoginSettings
    from ..auth.checker import Checker
    from ..dnsbl.judge import Zones
    from ..fleet.fleet import Fleet
    from ..gate.lists.lookups import Ways
    from ..gate.logins.logins import Logins
    from ..guard.client import GuardChecker
    from .at_proxy import ProxiedAdmission

#: For the master to act on; a terminal sends them to every process of the group.
MASTERS_SIGNALS = (signal.SIGINT, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2, signal.SIGALRM)


class Worker:
    """Serves until told to drain (SIGTERM, or the master is gone); then finishes the clients it has and ends.

    column: the one in which it counts (system/metrics); None = it counts nothing.
    """

    def __init__(self, shared: Shared, column: int | None = None) -> None:
        settings = shared.settings
        self._loop = new_loop()
        self._shared = shared
        self._draining = False
        self._tasks = Tasks(self._loop, lambda what: shared.log.warn(loglines.internal_error(what)), self._on_end)
        self._metered = in_worker.metered(shared, column)
        self._connection_log, self._serve, self._heard = in_worker.telling(shared, self._metered)
        self._watching = in_worker.watching(shared)
        self._admission = self._begin_admission()
        self._admission.clear = WithoutMaster(shared.tables.board, shared.pipes.death).clear
        self._dnsbl = DnsblClient(settings.program, shared.tables.zones, shared.ask, shared.log)
        self._totals = WorkerTotals(shared.tables.totals)
        host = Host(shared.log, self._zones, self._totals.note, self._heard)
        self._screens = kinds.in_service(settings.program.screens, host)
        self._fleet = self._begin_fleet()
        gate = settings.program.gate
        self._checker: Checker | None = None
        self._gate = Gate(gate, shared.log, self._admission.is_crowded, self._ways, self._trust()) if gate else None
        for observer in (self._metered, self._watching):
            if observer and self._gate:
                observer.note_sessions(self._gate)
        self._backends = self._begin_backends()
        self._backends.watch = self._watching or UNWATCHED
        self._tls = self._begin_tls()
        self._service = self._begin_service()

    def run(self) -> None:
        """Serve; returns when drained."""
        self._signals = Signals(signal.SIGTERM, signal.SIGCHLD)
        for number in MASTERS_SIGNALS:
            signal.signal(number, signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_SETMASK, ())
        if self._checker:  # Before anything may end the loop.
            self._loop.run_until_complete(self._checker.ready())
        self._loop.add_reader(self._signals.fd, self._on_signals)
        self._loop.add_reader(self._shared.pipes.death, self._drain)
        for screen in self._screens:
            self._tasks.take_on(screen.open())
        if self._gate:
            self._tasks.take_on(self._gate.open())
        if self._fleet:
            self._fleet.begin()
        if self._shared.settings.program.zones:
            self._tasks.keep_going(self._dnsbl.watch)
        if self._shared.tls:
            self._tasks.keep_going(partial(self._shared.tls.contexts.keep, self._shared.tls.source))
        serve = self._watching.serving(self._serve) if self._watching else self._serve
        self._admission.open(partial(serve, self._service))
        say_standing(self._shared.pipes.stand)
        if self._shared.beat_seconds:
            self._tasks.keep_going(partial(keep_saying, self._shared.pipes.stand, self._shared.beat_seconds))
        self._loop.run_forever()
        self._tasks.stop()
        self._dnsbl.share()
        self._totals.share()

    def _begin_service(self) -> Service:
        shared, settings = self._shared, self._shared.settings
        service = Service(
            settings=settings,
            names=NameLookup(settings, shared.ask),
            decide=decider(settings.rules, settings.allow_no_rules),
            environment=shared.environment,
            counter=ClientCounter(shared.tables.board, shared.tables.arrivals, shared.tables.events),
            screens=self._screens,
            gate=self._gate,
            held=self._admission.held,
            backends=self._backends,
            connection_log=self._connection_log,
            tls=self._tls,
            watch=self._watching or UNWATCHED,
            fleet=self._fleet,
        )
        if not settings.proxies:
            return service
        from .at_proxy import with_locals

        return with_locals(service, shared)

    def _begin_admission(self) -> Admission:
        shared = self._shared
        made = (shared.settings, shared.listeners, shared.tables.board, self._connection_log, self._tasks)
        if not shared.settings.proxies:
            return Admission(*made)
        from .at_proxy import ProxiedAdmission

        admission = ProxiedAdmission(*made)
        if shared.settings.lame_seconds:
            self._loop.add_reader(shared.pipes.lame, self._be_lame, admission)
        return admission

    def _be_lame(self, admission: "ProxiedAdmission") -> None:
        """Fail the checks of proxies from now on, so that they send their clients elsewhere before we stop."""
        self._loop.remove_reader(self._shared.pipes.lame)
        admission.fail_checks()

    def _zones(self) -> "Zones":
        return self._watching.zones(self._dnsbl) if self._watching else self._dnsbl

    def _ways(self) -> "Ways":
        from ..gate.lists.lookups import Ways

        return Ways(self._shared.ask, self._dnsbl.ask_zone, heard=self._heard)

    def _trust(self) -> Trust:
        """How clients of a gate become trusted; nothing of it is loaded where nobody may."""
        gate, shared = self._shared.settings.program.gate, self._shared
        if gate is None:
            return NOBODY
        trust = NOBODY if gate.logins is None else Trust(logins=self._logins(gate.logins))
        if shared.tls is None or gate.tls is None or shared.settings.is_wrapped:
            return trust
        if self._metered:
            return trust._replace(tls=self._metered.starttls(gate.tls, shared.tls.contexts))
        from ..gate.tls.starttls import StartTls

        return trust._replace(tls=StartTls(gate.tls, shared.tls.contexts))

    def _logins(self, settings: "LoginSettings") -> "Logins | None":
        shared = self._shared.logins
        if shared is None:
            return None
        from ..gate.logins.logins import Logins
        from ..gate.logins.prepared import checker

        self._checker = checker(settings, self._loop, shared.daemon, self._guard())
        if self._metered:
            self._checker = self._metered.checker(self._checker)
        return Logins(settings, self._checker, shared.tables, self._shared.log, self._fleet)

    def _guard(self) -> "GuardChecker | None":
        settings, guarded = self._shared.settings.guard, self._shared.guarded
        if settings is None or guarded is None:
            return None
        from ..guard.client import GuardChecker

        return GuardChecker(guarded.channel, settings)

    def _begin_tls(self) -> Tls | None:
        shared, settings = self._shared.tls, self._shared.settings
        if shared is None or not (settings.is_wrapped or settings.tls_on_request):
            return None
        if self._metered:
            return self._metered.tls(shared, wrapped=settings.is_wrapped)
        from .at_tls import FromTheFirstByte, OnRequest

        return FromTheFirstByte(shared) if settings.is_wrapped else OnRequest(shared)

    def _begin_fleet(self) -> "Fleet | None":
        url, log = self._shared.settings.fleet, self._shared.log
        if url is None:
            return None
        from ..fleet.fleet import Fleet

        return Fleet(url, self._tasks, log, partial(self._heard, "fleet"))

    def _begin_backends(self) -> Backends:
        settings = self._shared.settings
        return Backends(
            self._admission.slots,
            Launcher(settings.program.argv, self._shared.spawn_attributes, 2 if settings.tls_on_request else 0),
            self._connection_log,
            self._admission.rest,
            # With nobody to wait for, a connection runs straight through and costs no task.
            in_bursts=not settings.has_pending,
        )

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
        for pid, status in children.reap():
            try:
                self._backends.ended(pid, status)
            except Exception as error:  # or nobody would reap the others before the next one ends
                self._tasks.failed(error)

    def _drain(self) -> None:
        """Stop listening at once, so that no new client is lost in a dying worker; let those inside finish."""
        self._loop.remove_reader(self._shared.pipes.death)
        if not self._draining:
            self._draining = True
            self._admission.close()
            if self._gate:
                self._gate.drain()
            if self._tls:
                self._tls.drain()
            os.close(self._shared.pipes.listening)
            if self._shared.settings.drain_seconds is not None:
                self._loop.call_later(self._shared.settings.drain_seconds, self._loop.stop)
