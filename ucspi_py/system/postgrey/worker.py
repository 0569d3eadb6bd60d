"""One process of a policy server: accepts from the shared listeners, answers. Never touches another one's clients."""

import math
import signal
import socket
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from ...core.postgrey import loglines
from ...core.postgrey.settings import PostgreySettings
from ..process.loop import new_loop
from ..process.rlimits import room_for
from ..process.signals import Signals
from ..report.log import Log
from ..report.tasks import Tasks
from ..stream.stream import Deadlines, Stream
from .answering import Answers
from .connection import Connection, Manner

if TYPE_CHECKING:
    from .zones import Zones

#: Clients of one process: twice as many smtpd as Postfix runs by default (default_process_limit) and to spare.
MOST = 1000
#: Seconds for which nobody is let in where the system has no room.
_REST = 0.1
#: Seconds that clients have to hear what they have asked, once it is to end.
_LEAVE = 2.0
#: For the master to act on; a terminal sends them to every process of the group.
_MASTERS_SIGNALS = (signal.SIGINT, signal.SIGUSR1, signal.SIGUSR2, signal.SIGCHLD)


class Worker:
    """Serves until told to end (SIGTERM, or the master is gone). death: a descriptor that ends with the master."""

    def __init__(
        self,
        settings: PostgreySettings,
        listeners: Sequence[socket.socket],
        log: Log,
        zones: "Zones | None",
        death: int,
    ) -> None:
        self._listeners = listeners
        self._log = log
        self._death = death
        self._loop = new_loop()
        self._zones = zones.client(log) if zones else None
        judge = zones.judge(self._zones) if zones and self._zones else None
        self._answers = Answers(settings.answering, log, judge)
        self._manner = Manner(self._answers.answer, log, settings.answering.closes)
        self._clients: dict[Stream, Connection] = {}
        self._tasks = Tasks(self._loop, self._tell_of_error, lambda: None)
        self._deadlines = Deadlines(self._clients)
        self._most = room_for(MOST)
        self._is_ending = False

    def run(self) -> None:
        """Serve; returns when the last client has left."""
        self._signals = Signals(signal.SIGTERM, signal.SIGHUP)
        for number in _MASTERS_SIGNALS:
            signal.signal(number, signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_SETMASK, ())
        self._loop.run_until_complete(self._answers.open())
        self._loop.add_reader(self._signals.fd, self._on_signals)
        self._loop.add_reader(self._death, self._drain)
        if self._zones:
            self._tasks.keep_going(self._zones.watch)
        self._listen()
        self._loop.run_forever()
        self._tasks.stop()
        if self._zones:
            self._zones.share()
        self._loop.run_until_complete(self._answers.close())

    def _on_signals(self) -> None:
        noted = self._signals.take()
        if signal.SIGHUP in noted:
            self._answers.reload()
        if signal.SIGTERM in noted:
            self._drain()

    def _listen(self) -> None:
        if not self._is_ending:
            for listener in self._listeners:
                self._loop.add_reader(listener, partial(self._accept, listener))

    def _listen_no_more(self) -> None:
        for listener in self._listeners:
            self._loop.remove_reader(listener)

    def _accept(self, listener: socket.socket) -> None:
        try:
            client, _ = listener.accept()
        except (BlockingIOError, ConnectionAbortedError):
            return
        except OSError:  # no memory or no descriptor is left: a loop that tries at once takes the rest
            self._listen_no_more()
            self._loop.call_later(_REST, self._listen)
            return
        client.setblocking(False)
        connection = Connection(self._loop, client, self._manner)
        self._clients[connection.stream] = connection
        self._deadlines.ask(self._loop)
        self._tasks.take_on(self._serve(connection))
        if len(self._clients) >= self._most:
            self._make_room()

    def _make_room(self) -> None:
        """Hang up on who has asked nothing for longest: Postfix comes again when it has a question."""
        idle = min(self._clients, key=lambda stream: stream.deadline)
        if idle.deadline < math.inf:
            idle.end()
        else:
            self._listen_no_more()

    def _tell_of_error(self, what: str) -> None:
        self._log.warn(loglines.warning(f"internal error: {what}"))

    async def _serve(self, connection: Connection) -> None:
        try:
            await connection.run()
        finally:
            if len(self._clients) == self._most:
                self._listen()
            del self._clients[connection.stream]
            if self._is_ending and not self._clients:
                self._loop.stop()

    def _drain(self) -> None:
        """Accept nobody any more, and end when what was asked is answered."""
        self._loop.remove_reader(self._death)
        if self._is_ending:
            return
        self._is_ending = True
        self._listen_no_more()
        if not self._clients:
            self._loop.stop()
        for connection in list(self._clients.values()):
            connection.drain()
        self._loop.call_later(_LEAVE, self._loop.stop)
