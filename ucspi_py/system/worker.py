"""One worker: accepts from the shared listener, serves, reaps. Never touches another worker's clients."""

import asyncio
import os
import signal
import socket
from collections.abc import Coroutine
from dataclasses import dataclass

from ..core import limits
from ..core.address import canonical
from ..core.connection import Endpoints, Visit
from ..core.dns_message import Ask
from ..core.errors import error_words
from ..core.settings import ServerSettings
from . import names, screens
from .arrivals import Arrivals
from .journal import Journal
from .later import Later
from .listener import fixed_end
from .log import Log
from .rules_file import RulesFile
from .scoreboard import Scoreboard
from .session import Service, say_goodbye, serve
from .signals import Signals
from .slots import Slots
from .spawn import Launcher, Manner

#: For the master to act on; a terminal sends them to every process of the group.
MASTERS_SIGNALS = (signal.SIGINT, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2, signal.SIGALRM)

#: Clients accepted in one wake-up: the loop's own cost is then shared by several.
_BURST = 16
#: Seconds for which nobody is accepted when there are no descriptors, no memory or no processes for a client.
_REST = 0.5
#: Seconds between two lines about that.
_STARVED_LINES = 2.0
#: Seconds until a worker that has looked away from the listener looks whether there is room again.
_LOOK_AGAIN = 0.05


@dataclass(frozen=True, slots=True)
class Inheritance:
    """What the master hands to each of its workers.

    death_pipe: readable once the master is gone. open_door: held open for as long as this worker listens.
    """

    settings: ServerSettings
    log: Log
    listener: socket.socket
    board: Scoreboard
    arrivals: Arrivals | None
    death_pipe: int
    open_door: int
    environment: dict[bytes, bytes]
    manner: Manner
    ask: Ask


class Worker:
    """Serves until told to drain (SIGTERM, or the master is gone); then finishes the clients it has and ends."""

    def __init__(self, inheritance: Inheritance) -> None:
        settings = inheritance.settings
        self._loop = asyncio.new_event_loop()
        self._inheritance = inheritance
        self._listener: socket.socket | None = inheritance.listener
        self._board = inheritance.board
        self._slots = Slots(self._board, self._watch)
        self._journal = Journal(inheritance.log, self._board, settings.limit)
        self._service = Service(
            settings=settings,
            journal=self._journal,
            board=self._board,
            arrivals=inheritance.arrivals,
            slots=self._slots,
            rest=self._rest,
            rules=RulesFile(settings.rules, settings.allow_no_rules) if settings.rules is not None else None,
            environment=inheritance.environment,
            launcher=Launcher(settings.program.argv, inheritance.manner),
            ask=inheritance.ask,
            screens=screens.in_service(settings.program.screens, inheritance.ask, inheritance.log),
        )
        # With nobody to wait for, a connection runs straight through and costs no task.
        self._waits = names.wanted(settings) or bool(settings.program.screens) or bool(settings.reserve)
        self._local = fixed_end(inheritance.listener)
        self._tasks: set[asyncio.Task[None]] = set()
        self._watching = False
        self._later = Later(_LOOK_AGAIN, self._watch)
        self._resting_until = 0.0
        self._starved_line = 0.0

    def run(self) -> None:
        """Serve; returns when drained."""
        self._signals = Signals(signal.SIGTERM, signal.SIGCHLD)
        for number in MASTERS_SIGNALS:
            signal.signal(number, signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_SETMASK, ())
        self._loop.add_reader(self._signals.fd, self._on_signals)
        self._loop.add_reader(self._inheritance.death_pipe, self._drain)
        for screen in self._service.screens:
            self._take_on(screen.open())
        self._watch()
        self._loop.run_forever()

    def _watch(self) -> None:
        """Watch the listener from now on, or, where there is no room, look again soon."""
        if self._watching or not self._listener:
            return
        if self._loop.time() >= self._resting_until and (self._has_room() or self._sheds()):
            self._loop.add_reader(self._listener, self._accept)
            self._watching = True
        else:
            self._later.ask(self._loop)

    def _look_away(self) -> None:
        """Leave the listener to others for a while: a client in its queue is accepted by who has room."""
        if self._listener and self._watching:
            self._loop.remove_reader(self._listener)
            self._watching = False
            self._later.ask(self._loop)

    def _rest(self) -> None:
        """Take nobody in for a while: what is missing does not come back by asking for it again and again."""
        self._resting_until = self._loop.time() + _REST
        self._look_away()

    def _has_room(self) -> bool:
        if self._waits:
            return self._board.free(self._board.slots) > 0 and self._board.free(self._board.hall) > 0
        return self._slots.ready()

    def _sheds(self) -> bool:
        """Whether a client that finds all slots taken is told so, instead of waiting in the listener's queue."""
        settings = self._service.settings
        return settings.overload_message is not None and self._board.running() >= settings.limit

    def _accept(self) -> None:
        for _ in range(_BURST):
            room = self._has_room()
            if not self._listener or not (room or self._sheds()):
                self._look_away()
                return
            try:
                client, peer = self._listener.accept()
            except (BlockingIOError, ConnectionAbortedError, InterruptedError):
                return
            except OSError as error:
                self._starve(error)
                return
            visit = self._visit(client, peer)
            if room:
                self._begin(client, visit)
            else:
                self._send_away(client, visit)
            if not self._watching:
                return

    def _starve(self, error: OSError) -> None:
        if self._loop.time() >= self._starved_line:
            self._journal.starved(error_words(error.errno))
            self._starved_line = self._loop.time() + _STARVED_LINES
        self._rest()

    def _visit(self, client: socket.socket, peer: tuple[str, int]) -> Visit:
        local_ip, local_port = self._local or client.getsockname()[:2]
        remote_ip = canonical(peer[0])
        return Visit(
            Endpoints(canonical(local_ip), b"%d" % local_port, remote_ip, b"%d" % peer[1]),
            limits.key(remote_ip, limits.CLIENT),
            limits.key(remote_ip, self._service.settings.client_limits.network),
        )

    def _begin(self, client: socket.socket, visit: Visit) -> None:
        if self._waits:
            self._take_on(self._serve_in_hall(client, visit))
        else:
            _run_straight(serve(self._service, client, visit, counted=0))

    def _take_on(self, work: Coroutine[None, None, None]) -> None:
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._end)

    async def _serve_in_hall(self, client: socket.socket, visit: Visit) -> None:
        """Serve a client that may have to wait; until it has a program it has a place in the hall."""
        place = self._board.claim(self._board.hall)
        if place is None:  # another worker was faster
            self._send_away(client, visit)
            return
        self._board.name(place, visit.client, visit.network)
        try:
            await serve(self._service, client, visit, counted=1)
        finally:
            self._board.give_back(place)

    def _send_away(self, client: socket.socket, visit: Visit) -> None:
        with client:
            self._journal.turned_away(visit.endpoints, b"all slots are taken")
            say_goodbye(client, self._service.settings.overload_message or limits.MESSAGE)

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
        self._loop.remove_reader(self._inheritance.death_pipe)
        if self._listener:
            self._loop.remove_reader(self._listener)
            self._listener.close()
            os.close(self._inheritance.open_door)
            self._listener = None
            self._slots.let_go()
        if not self._tasks:
            self._loop.stop()


def _run_straight(session: Coroutine[None, None, None]) -> None:
    try:
        session.send(None)
    except StopIteration:
        return
    raise RuntimeError("a session that waits for nothing has waited")
