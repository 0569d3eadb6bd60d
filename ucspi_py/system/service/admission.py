"""Who comes in to one worker, and when: from the listener's queue to a slot or a place. Never decides about a client.

Where there is room, a client is taken off the listener's queue and served. Where there is none, it stays in that queue,
as in C, or waits in the overflow queue when that one is about to overflow. Whatever changes, one look follows at
everybody who waits, here and, by an event, in the other workers.
"""

import socket
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial

from ...core.address import canonical
from ...core.client import limits
from ...core.client.connection import Endpoints
from ...core.service.settings import ServerSettings
from ..accept.acceptor import Acceptor
from ..accept.listener import Listener
from ..accept.overflow import OverflowQueue
from ..accept.parent import Parent
from ..accept.places import Places
from ..accept.scoreboard import Place, Scoreboard
from ..accept.slots import Slots
from ..backend.spawn_batch import Session, SpawnBatch
from ..process.rlimits import room_beside
from ..process.timer import Timer
from ..refuse import last_reply
from ..refuse.held import Held
from ..report.connection_log import ConnectionLog
from ..report.tasks import Tasks

#: Clients that one worker takes off an overflowing queue before there is room for them.
OVERFLOW_LIMIT = 8000

#: Seconds between two looks for room that nobody has told us of: by a worker that was killed before it could, or that
#: is stopped; and where the system has no events.
_SLOW_LOOK, _LOOK_WITHOUT_EVENTS = 1.0, 0.02

#: Has a client served: its socket, its ends, its place where it has one, and, behind a proxy's header, its Proxied.
Serve = Callable[..., Session]


@dataclass(slots=True)
class _Visit:
    """A client that may have to wait. row: its place; None where there was none when it came."""

    client: socket.SocketType
    endpoints: Endpoints
    row: int | None


class Admission:
    """Lets clients in to one worker; stops the worker's loop when it is closed and nobody is in any more.

    clear: may be set; called each second while anybody waits, and frees what nobody will give back.
    """

    def __init__(
        self,
        settings: ServerSettings,
        listeners: Sequence[Listener],
        board: Scoreboard,
        connection_log: ConnectionLog,
        tasks: Tasks,
    ) -> None:
        self._settings = settings
        self._board = board
        self._connection_log = connection_log
        self._tasks = tasks
        self._in_pending = settings.has_pending
        self._wants_slot = self._needs_slot
        self._local = _fixed_local(listeners)
        self._acceptor = Acceptor(tasks.loop, listeners, self, Parent().is_stopped)
        self.rest = self._acceptor.rest
        self.slots = Slots(board, settings.reserve, self.changed)
        self.held = Held(board, self._on_held)
        self._places = Places(board, self.changed)
        self._spawn_batch = SpawnBatch(
            tasks.loop, self._acceptor.relieve, self._acceptor.is_resting, tasks.failed, self.changed
        )
        taken = (settings.limit + len(board.pending)) * settings.program.descriptors
        capacity = min(OVERFLOW_LIMIT, room_beside(taken))
        self._overflow = OverflowQueue(capacity, self._has_room, self._bring_in, tasks.failed, connection_log.waits)
        self._look_due = False
        self.clear: Callable[[], None] = _nothing
        self._slow_look = Timer(_LOOK_WITHOUT_EVENTS, self._look_again)

    def open(self, serve: Serve) -> None:
        """Begin to let clients in."""
        self._serve = serve
        if self._board.vacancies.watch(self._tasks.loop, self.changed):
            self._slow_look = Timer(_SLOW_LOOK, self._look_again)
        self.changed()

    def close(self) -> None:
        """Listen no more, so that no new client is lost in a dying worker; those that are in are served."""
        self._acceptor.close()
        self.changed()

    def changed(self) -> None:
        """Have everybody looked at who waits, once for all that changes in this turn of the loop."""
        if not self._look_due:
            self._look_due = True
            self._tasks.loop.call_soon(self._look)
            self._slow_look.ask(self._tasks.loop)

    def wants_client(self) -> bool:
        """With no room clients wait in the listener's queue, as in C, unless it is about to overflow."""
        return self._has_room() or self.sheds() or (self._overflow.has_seats and self._acceptor.is_crowded())

    def take(self, client: socket.SocketType, peer: tuple[str, int]) -> None:
        """Take over an accepted client, to be served when there is room. peer: its address and port."""
        endpoints = self._endpoints(client, peer)
        if self.sheds():
            self.send_away(client, endpoints)
        else:
            self._let_wait(client, endpoints)

    def _endpoints(self, client: socket.SocketType, peer: tuple[str, int]) -> Endpoints:
        local_ip, local_port = self._local or _local(client)
        return Endpoints(local_ip, local_port, canonical(peer[0]), b"%d" % peer[1])

    def _let_wait(self, client: socket.SocketType, endpoints: Endpoints) -> None:
        """Serve a client when there is room for it."""
        if self._overflow.join(client, endpoints):
            self.changed()

    def make_room(self) -> bool:
        """Give up the client that has been held longest here, for its descriptor; False where none is held."""
        return self.held.dismiss_oldest()

    def starved(self, why: str) -> None:
        """Say why nobody can be accepted."""
        self._connection_log.starved(why)

    def _look(self) -> None:
        """Let in whoever can be, tell the others what is left, and be done when nobody is here any more."""
        self._look_due = False
        self.held.dismiss_asked()
        waits = self._serve_waiting()
        self.slots.tell_others()
        self._places.tell_others()
        if waits:
            self._board.vacancies.wait()
            # Of what became free just before we said so, nobody tells us.
            if self._serve_waiting():
                self._slow_look.ask(self._tasks.loop)
        if self._acceptor.closed and not self._anybody_here():
            self._tasks.loop.stop()

    def _serve_waiting(self) -> bool:
        """Serve as many as there is room for, those that have been here longest first; whether anybody waits still."""
        self.slots.serve_waiting()
        self._places.serve_waiting()
        self._overflow.call_in()
        self._acceptor.watch()
        return bool(self.slots.awaited or self._places.awaited or self._overflow or self._acceptor.away)

    def _look_again(self) -> None:
        """Look as if no event had ever come and no look had ever failed."""
        self.clear()
        self._places.look_again()
        self._look()

    def _anybody_here(self) -> bool:
        return bool(self._tasks or self._overflow or self._spawn_batch)

    def _on_held(self) -> None:
        """One more client is held that can make room for another."""
        self._places.note_news()
        self.changed()

    def is_crowded(self) -> bool:
        """Whether more than 80 % of the places are taken (--held)."""
        return 5 * self._board.free(self._board.pending) < len(self._board.pending)

    @property
    def _needs_slot(self) -> bool:
        """A client of the gate needs no slot before its first recipient has passed, and most never have one."""
        return self._settings.program.gate is None

    def _has_room(self) -> bool:
        if self._wants_slot and not self._board.has_free(self._board.slots):
            return False
        return self._places.any_left() if self._in_pending else not self.slots.awaited

    def sheds(self) -> bool:
        """Whether all slots are taken and clients are then turned away (--shed), instead of waiting in the queue."""
        return self._settings.overload_message is not None and self._board.running() >= self._settings.limit

    def _bring_in(self, client: socket.SocketType, endpoints: Endpoints) -> None:
        if not self._in_pending:
            self._spawn_batch.bring(self._serve(client, endpoints, None))
            return
        visit = _Visit(client, endpoints, self._places.claim())
        try:
            # By the task's end, not in the coroutine: one that fails at its very beginning gives nothing back.
            self._tasks.take_on(self._serve_pending(visit), partial(self._leave, visit))
        except BaseException:
            self._leave(visit)
            raise

    async def _serve_pending(self, visit: _Visit) -> None:
        """Serve a client that may have to wait."""
        if visit.row is None:
            visit.row = await self._places.make()
        keys = limits.keys(self._settings.client_limits, visit.endpoints.remote_ip)
        self._board.name(visit.row, *keys)
        await self._serve(visit.client, visit.endpoints, Place(visit.row, keys))

    def _leave(self, visit: _Visit) -> None:
        visit.client.close()
        if visit.row is not None:
            self._places.give_back(visit.row)

    def send_away(self, client: socket.SocketType, endpoints: Endpoints) -> None:
        """Tell a client that all slots are taken, and close its connection."""
        with closing(client):
            self._connection_log.turned_away(endpoints, limits.NO_SLOT)
            if self._settings.is_wrapped:
                return
            message = self._settings.overload_message
            last_reply.say(client, limits.BUSY if message is None else message)


def _nothing() -> None:
    """Leave it to the master, which frees what the dead have claimed."""


def _fixed_local(listeners: Sequence[Listener]) -> tuple[bytes, bytes] | None:
    """The local end of every connection; None where they come to several ports, or to any address."""
    if len(listeners) > 1 or listeners[0].getsockname()[0] in ("0.0.0.0", "::"):
        return None
    return _local(listeners[0])


def _local(connection: socket.SocketType) -> tuple[bytes, bytes]:
    ip, port = connection.getsockname()[:2]
    return canonical(ip), b"%d" % port
