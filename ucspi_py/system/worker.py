"""One worker: accepts from the shared listener, serves, reaps. Never touches another worker's clients."""

import asyncio
import os
import signal
import socket
from collections.abc import Coroutine
from dataclasses import dataclass

from ..core.address import canonical
from ..core.connection import Endpoints
from ..core.dns_message import Ask
from ..core.settings import ServerSettings
from . import names
from .journal import Journal
from .log import Log
from .rules_file import RulesFile
from .scoreboard import Scoreboard
from .session import Service, serve
from .signals import Signals
from .slots import Slots
from .spawn import Launcher, Manner

#: For the master to act on; a terminal sends them to every process of the group.
MASTERS_SIGNALS = (signal.SIGINT, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2, signal.SIGALRM)

#: Clients accepted in one wake-up: the loop's own cost is then shared by several.
_BURST = 16
#: Clients whose names or zones are being asked, or who are held refused, in one worker; they take no slot of -c.
_IN_PROCESS_LIMIT = 2000
#: Seconds for which the listener is left alone when there are no descriptors or no memory for a client.
_PAUSE = 0.2


@dataclass(frozen=True, slots=True)
class Inheritance:
    """What the master hands to each of its workers.

    death_pipe: readable once the master is gone. open_door: held open for as long as this worker listens.
    """

    settings: ServerSettings
    listener: socket.socket
    board: Scoreboard
    death_pipe: int
    open_door: int
    environment: dict[bytes, bytes]
    manner: Manner
    ask: Ask


class Worker:
    """Serves until told to drain (SIGTERM, or the master is gone); then finishes the clients it has and ends."""

    def __init__(self, inheritance: Inheritance, rows: range) -> None:
        settings = inheritance.settings
        self._loop = asyncio.new_event_loop()
        self._listener: socket.socket | None = inheritance.listener
        self._board = inheritance.board
        self._death_pipe = inheritance.death_pipe
        self._open_door = inheritance.open_door
        self._slots = Slots(self._board, rows, self._watch)
        self._journal = Journal(Log(settings.verbosity), self._board, settings.limit)
        self._service = Service(
            settings=settings,
            journal=self._journal,
            slots=self._slots,
            rules=RulesFile(settings.rules, settings.allow_no_rules) if settings.rules is not None else None,
            environment=inheritance.environment,
            launcher=Launcher(settings.program.argv, inheritance.manner),
            ask=inheritance.ask,
        )
        # With nobody to wait for, a connection runs straight through and costs no task.
        self._waits = names.wanted(settings) or bool(settings.program.screens)
        self._local = _fixed_local(inheritance.listener)
        self._tasks: set[asyncio.Task[None]] = set()
        self._watching = False

    def run(self) -> None:
        """Serve; returns when drained."""
        self._signals = Signals(signal.SIGTERM, signal.SIGCHLD)
        for number in MASTERS_SIGNALS:
            signal.signal(number, signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_SETMASK, ())
        self._loop.add_reader(self._signals.fd, self._on_signals)
        self._loop.add_reader(self._death_pipe, self._drain)
        self._watch()
        self._loop.run_forever()

    def _watch(self) -> None:
        if self._listener and not self._watching and self._has_room():
            self._loop.add_reader(self._listener, self._accept)
            self._watching = True

    def _look_away(self) -> None:
        if self._listener and self._watching:
            self._loop.remove_reader(self._listener)
        self._watching = False

    def _has_room(self) -> bool:
        return self._slots.vacant and len(self._tasks) < _IN_PROCESS_LIMIT

    def _accept(self) -> None:
        for _ in range(_BURST):
            if not self._listener or not self._has_room():
                self._look_away()
                return
            try:
                client, peer = self._listener.accept()
            except (BlockingIOError, ConnectionAbortedError, InterruptedError):
                return
            except OSError:
                self._look_away()
                self._loop.call_later(_PAUSE, self._watch)
                return
            self._begin(serve(self._service, client, self._endpoints(client, peer)))

    def _endpoints(self, client: socket.socket, peer: tuple[str, int]) -> Endpoints:
        local_ip, local_port = self._local or client.getsockname()[:2]
        return Endpoints(canonical(local_ip), b"%d" % local_port, canonical(peer[0]), b"%d" % peer[1])

    def _begin(self, session: Coroutine[None, None, None]) -> None:
        if not self._waits:
            _run_straight(session)
            return
        task = self._loop.create_task(session)
        self._tasks.add(task)
        task.add_done_callback(self._end)

    def _end(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if self._listener:
            self._watch()
        elif not self._tasks:
            self._loop.stop()

    def _on_signals(self) -> None:
        noted = self._signals.take()
        if signal.SIGCHLD in noted:
            self._reap()
            self._slots.recover()
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
            self._slots.ended(pid)
            self._journal.ended(pid, status)

    def _drain(self) -> None:
        """Close the door at once, so that no new client is lost in a dying worker; let those inside finish."""
        self._loop.remove_reader(self._death_pipe)
        self._look_away()
        if self._listener:
            self._listener.close()
            os.close(self._open_door)
            self._listener = None
        if not self._tasks:
            self._loop.stop()


def _run_straight(session: Coroutine[None, None, None]) -> None:
    try:
        session.send(None)
    except StopIteration:
        return
    raise RuntimeError("a session that waits for nothing has waited")


def _fixed_local(listener: socket.socket) -> tuple[str, int] | None:
    """The local end of every connection; None where the listener takes them on any address."""
    ip, port = listener.getsockname()[:2]
    return None if ip in ("0.0.0.0", "::") else (ip, port)
