"""One worker: accepts from the shared listener, serves, reaps. Never touches another worker's clients."""

import asyncio
import os
import signal
import socket
from collections.abc import Coroutine
from contextlib import closing
from dataclasses import dataclass

from ..core import limits
from ..core.address import canonical
from ..core.connection import Endpoints, Names
from ..core.dns_message import Ask
from ..core.rules_data import DEFAULT
from ..core.settings import ServerSettings
from . import goodbye, names, screens
from .arrivals import Arrivals
from .door import Door
from .held import Held
from .journal import Journal
from .limits import room_beside
from .listener import Listener
from .lobby import Lobby
from .log import Log
from .loop import new_loop
from .rules_file import RulesFile
from .scoreboard import Scoreboard
from .session import Decide, Service, serve
from .signals import Signals
from .slots import Slots
from .spawn import Launcher, Manner
from .start_line import StartLine
from .tally import Tally
from .zone_board import ZoneBoard
from .zone_desk import ZoneDesk

#: For the master to act on; a terminal sends them to every process of the group.
MASTERS_SIGNALS = (signal.SIGINT, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2, signal.SIGALRM)

#: Clients that one worker takes off an overflowing queue before there is room for them.
LOBBY = 8000


@dataclass(frozen=True, slots=True)
class Inheritance:
    """What the master hands to each of its workers.

    death_pipe: readable once the master is gone. open_door: held open for as long as this worker listens.
    """

    settings: ServerSettings
    log: Log
    listener: Listener
    board: Scoreboard
    arrivals: Arrivals | None
    zone_board: ZoneBoard
    tally: Tally
    death_pipe: int
    open_door: int
    environment: dict[bytes, bytes]
    manner: Manner
    ask: Ask


class Worker:
    """Serves until told to drain (SIGTERM, or the master is gone); then finishes the clients it has and ends."""

    def __init__(self, inheritance: Inheritance) -> None:
        settings = inheritance.settings
        # With nobody to wait for, a connection runs straight through and costs no task.
        looks_up = names.wanted(settings)
        waits = looks_up or bool(settings.program.screens) or bool(settings.reserve)
        self._loop = new_loop()
        self._inheritance = inheritance
        self._board = inheritance.board
        self._journal = Journal(inheritance.log, self._board, settings.limit)
        self._door = Door(self._loop, inheritance.listener, self._wants_client, self._take, self._journal.starved)
        self._slots = Slots(self._board, self._on_vacancy)
        self._desk = ZoneDesk(
            settings.program, inheritance.zone_board, inheritance.tally, inheritance.ask, inheritance.log
        )
        self._held = Held()
        self._service = Service(
            settings=settings,
            journal=self._journal,
            board=self._board,
            arrivals=inheritance.arrivals,
            slots=self._slots,
            rest=self._door.rest,
            in_bursts=not waits,
            decide=_decider(settings),
            environment=inheritance.environment,
            stranger=None if looks_up else Names(settings.local_name, None, None),
            launcher=Launcher(settings.program.argv, inheritance.manner),
            ask=inheritance.ask,
            screens=screens.in_service(settings.program.screens, self._desk, self._journal, inheritance.log),
            held=self._held,
        )
        self._waits = waits
        self._local = _fixed_local(inheritance.listener)
        self._tasks: set[asyncio.Task[None]] = set()
        self._start_line = StartLine(self._loop, self._door.relieve, self._door.is_resting)
        seats = min(LOBBY, room_beside(settings.limit + settings.held_limit))
        self._lobby = Lobby(seats, self._has_room, self._serve)

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
        self._door.watch()
        testing = self._loop.create_task(self._desk.watch()) if self._service.settings.program.zones else None
        self._loop.run_forever()
        self._slots.let_go()
        if testing:
            testing.cancel()
        self._desk.share()

    def _wants_client(self) -> bool:
        """With no room clients wait in the listener's queue, as in C, unless it is about to overflow."""
        return self._has_room() or self._sheds() or (self._lobby.has_seats and self._door.is_crowded())

    def _on_vacancy(self) -> None:
        self._lobby.call_in()
        self._door.watch()

    def _has_room(self) -> bool:
        if self._waits:
            return self._board.has_free(self._board.slots) and (
                self._board.has_free(self._board.hall) or self._held.anybody
            )
        return self._slots.ready()

    def _sheds(self) -> bool:
        """Whether a client that finds all slots taken is told so, instead of waiting in the listener's queue."""
        settings = self._service.settings
        return settings.overload_message is not None and self._board.running() >= settings.limit

    def _take(self, client: socket.SocketType, peer: tuple[str, int]) -> None:
        local_ip, local_port = self._local or _local(client)
        endpoints = Endpoints(local_ip, local_port, canonical(peer[0]), b"%d" % peer[1])
        if self._sheds():
            self._send_away(client, endpoints)
        else:
            self._lobby.seat(client, endpoints)

    def _serve(self, client: socket.SocketType, endpoints: Endpoints) -> None:
        if self._waits:
            self._take_on(self._serve_in_hall(client, endpoints, self._board.claim(self._board.hall)))
        else:
            self._start_line.bring(serve(self._service, client, endpoints))

    def _take_on(self, work: Coroutine[None, None, None]) -> None:
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._end)

    async def _serve_in_hall(self, client: socket.SocketType, endpoints: Endpoints, place: int | None) -> None:
        """Serve a client that may have to wait; until it has a program it has a place in the hall.

        place: None = there was none; then who has been held longest makes room.
        """
        while place is None and await self._held.dismiss_oldest():
            place = self._board.claim(self._board.hall)
        if place is None:
            self._send_away(client, endpoints)
            return
        keys = limits.keys(self._service.settings.client_limits, endpoints.remote_ip)
        self._board.name(place, *keys)
        try:
            await serve(self._service, client, endpoints, keys)
        finally:
            self._board.give_back(place)

    def _send_away(self, client: socket.SocketType, endpoints: Endpoints) -> None:
        with closing(client):
            self._journal.turned_away(endpoints, b"all slots are taken")
            goodbye.say(client, self._service.settings.overload_message or limits.MESSAGE)

    def _end(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._on_vacancy()
        self._stop_if_done()

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
                break
            if not pid:
                break
            self._slots.ended(pid)
            self._journal.ended(pid, status)
        self._slots.look_again()
        self._stop_if_done()

    def _drain(self) -> None:
        """Close the door at once, so that no new client is lost in a dying worker; let those inside finish."""
        self._loop.remove_reader(self._inheritance.death_pipe)
        if not self._door.closed:
            self._door.close()
            os.close(self._inheritance.open_door)
            self._slots.let_go()
        self._stop_if_done()

    def _stop_if_done(self) -> None:
        if self._door.closed and not self._tasks and not self._lobby and not self._start_line:
            self._loop.stop()


def _decider(settings: ServerSettings) -> Decide:
    if settings.rules is None:
        return lambda *_client: DEFAULT
    return RulesFile(settings.rules, settings.allow_no_rules).decide


def _fixed_local(listener: socket.socket) -> tuple[bytes, bytes] | None:
    """The local end of every connection; None where the listener takes them on any address."""
    return None if listener.getsockname()[0] in ("0.0.0.0", "::") else _local(listener)


def _local(connection: socket.SocketType) -> tuple[bytes, bytes]:
    ip, port = connection.getsockname()[:2]
    return canonical(ip), b"%d" % port
