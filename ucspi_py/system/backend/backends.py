"""The backends of one worker: a slot is reserved, the program started in it, and both are logged. Never reaps."""

import errno
import os
from collections.abc import Callable, Sequence
from typing import NamedTuple

from ...core.client.connection import Endpoints, Names
from ...core.client.limits import Keys
from ...core.client.local import is_local
from ...core.errors import error_words
from ...core.top.watch import UNWATCHED, Watch
from ..accept.slots import Slots
from ..process.loop import end_of_turn
from ..report.connection_log import ConnectionLog
from .spawn import Launcher
from .spawn_batch import pause

_NO_PROCESS = frozenset((errno.EAGAIN, errno.ENOMEM))


class Connection(NamedTuple):
    """A connection that is to have a backend.

    endpoints, names: what the log says of it. keys: what its slot is counted under. environment: the program's; with
    RELAYCLIENT in it, reserved slots are open to it.
    """

    endpoints: Endpoints
    names: Names
    keys: Keys
    environment: dict[bytes, bytes]


class Backends:
    """Starts backends and takes their ends.

    rest: called when there is no room for another process; nobody new is to be let in for a while. in_bursts: whether
    start() pauses once when it has its slot, until all connections that came together have theirs (spawn_batch);
    otherwise it is a task's, and waits for the end of the loop's turn. watch: may be set; hears of each client that
    waits for a slot, and of each that has its program.
    """

    def __init__(
        self,
        slots: Slots,
        launcher: Launcher,
        connection_log: ConnectionLog,
        rest: Callable[[], None],
        *,
        in_bursts: bool,
    ) -> None:
        self._slots = slots
        self._launcher = launcher
        self._connection_log = connection_log
        self._rest = rest
        self._in_bursts = in_bursts
        self.watch: Watch = UNWATCHED
        self._on_end: dict[int, Callable[[int], None]] = {}
        self._untold: set[int] = set()

    async def start(
        self,
        connection: Connection,
        fd: int,
        on_end: Callable[[int], None] | None = None,
        more: Sequence[int] = (),
        place: int | None = None,
    ) -> int | None:
        """Start the program for a connection when there is a slot for it, and log that, or why not.

        A proxy's own connections are not logged: it checks our health every few seconds.

        fd: what the program gets as 0 and 1, the client's socket or one end of a socketpair. Blocking, close-on-exec,
        still the caller's to close. on_end: called with the program's wait status when it was reaped; None = nobody
        asks. more: what it gets as 3 and the numbers behind it, also the caller's. place: row for which the client
        counts until its program starts, and again where it does not; None = for none. Returns the process id; None
        where the program could not be started: nothing is claimed then. An error that nobody expected, or being
        cancelled, leaves nothing claimed either.
        """
        slot = await self._reserve(connection)
        try:
            await self._count(slot, place, connection.keys)
            self._slots.announce(slot, os.fstat(fd).st_ino)
            pid = self._launcher.start(fd, connection.environment, more)
            self._slots.hold(slot, pid)
        except (OSError, ValueError) as error:
            self._give_back(slot, place, connection.keys)
            self._tell_why_not(connection, error)
            return None
        except BaseException:
            self._give_back(slot, place, connection.keys)
            raise
        if on_end:
            self._on_end[pid] = on_end
        self._tell_of(connection, slot, pid)
        return pid

    async def _reserve(self, connection: Connection) -> int:
        self.watch.waits(b"slot")
        slot = await self._slots.reserve(may_relay=b"RELAYCLIENT" in connection.environment)
        self.watch.waits(b"")
        return slot

    def ended(self, pid: int, wait_status: int) -> None:
        """Give back the slot of a backend that was reaped, and log its end.

        pid: of any child that has ended; one that has no slot of ours is logged only. wait_status: as waitpid(2) has
        it.
        """
        self._slots.ended(pid)
        if pid in self._untold:
            self._untold.remove(pid)
        else:
            self._connection_log.ended(pid, wait_status)
        on_end = self._on_end.pop(pid, None)
        if on_end:
            on_end(wait_status)

    async def _count(self, slot: int, place: int | None, keys: Keys) -> None:
        """Wait for the turn to start, and count the client for its slot: at once where it does not for its place."""
        if place is None:
            self._slots.name(slot, keys)
        await (pause() if self._in_bursts else end_of_turn())
        if place is not None:
            # Before the start: the backend may run for milliseconds before we are told its process id.
            self._slots.count_instead(slot, place, keys)

    def _give_back(self, slot: int, place: int | None, keys: Keys) -> None:
        self._slots.give_back(slot)
        if place is not None:
            self._slots.name(place, keys)

    def _tell_of(self, connection: Connection, slot: int, pid: int) -> None:
        endpoints, names, _, environment = connection
        if is_local(environment):
            self._untold.add(pid)
        else:
            self._connection_log.started(pid, endpoints, names)
            self.watch.started(slot, pid, endpoints.remote_ip, endpoints.remote_port, names.remote_host)

    def _tell_why_not(self, connection: Connection, error: OSError | ValueError) -> None:
        if isinstance(error, OSError) and error.errno in _NO_PROCESS:
            self._connection_log.not_forked(error_words(error.errno))
            self._rest()
        else:
            sentence = self._launcher.unable(error)
            self._connection_log.not_run(connection.endpoints, connection.names, sentence)
