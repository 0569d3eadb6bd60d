"""The recorder: listens for processes that tell of logins, and has each heard in a thread. Never waits for any."""

import asyncio
import contextlib
import signal
import socket
import threading
from collections import Counter
from collections.abc import Callable
from typing import TypeVarTuple

from ...core.errors import Failure
from ...core.ledger.recorder import loglines
from ...core.ledger.recorder.proof import Proven
from ...core.ledger.recorder.settings import RecorderSettings
from ...core.ledger.settings import LedgerSettings
from ..ledger.ledger import Granted, Ledger, Login, NotGranted, recorder
from ..process import rlimits
from ..process.loop import new_loop
from ..process.signals import Signals
from ..report.log import Log
from ..store.attempts import patience
from .connected import user_of
from .listening import listening
from .packets import PATIENCE
from .visitor import Visitors

_Args = TypeVarTuple("_Args")

#: Logins at once; those of one user. A hundred who come back from lunch find room, and one user does not take it all.
_MOST, _MOST_OF_ONE = 1024, 256
#: Descriptors of each: its connection, and two that may come with a packet.
_DESCRIPTORS = 3

#: Seconds that any store has for each login: whoever tells of it hears in time that it has failed, also where we and it
#: have to wait for a processor.
_LEDGERS_PATIENCE = 0.5 * PATIENCE

#: Seconds for which nobody is let in where the system has no room.
_REST = 0.1

_FIRST_PORT = "/proc/sys/net/ipv4/ip_unprivileged_port_start"


def run(settings: RecorderSettings, ledger: LedgerSettings, log: Log) -> None:
    """Serve until SIGTERM or SIGINT. Raises Failure where the socket cannot be made.

    A ledger that cannot be used is told of in the log, and asked again with each login.
    """
    signals = Signals(signal.SIGTERM, signal.SIGINT)  # from now on the socket is removed at the end
    with listening(settings.socket) as listener:
        for port in _anybodys(settings.ports):
            log.say(loglines.anybodys_port(port))
        loop = new_loop()
        try:
            kept = Ledger(ledger, min(_LEDGERS_PATIENCE, patience(ledger.store)))
            _Recorder(settings, kept, log, loop, listener).run(signals)
        finally:
            loop.close()


class _Recorder:
    """visitors: who is inside, counted by user id."""

    def __init__(
        self,
        settings: RecorderSettings,
        ledger: Ledger,
        log: Log,
        loop: asyncio.AbstractEventLoop,
        listener: socket.socket,
    ) -> None:
        self._settings = settings
        self._ledger = ledger
        self._log = log
        self._loop = loop
        self._listener = listener
        self._visitors = Visitors(settings, self._say, self._record)
        self._inside: Counter[int] = Counter()
        rlimits.make_room(_DESCRIPTORS * _MOST)
        self._most = max(1, rlimits.room_for(_DESCRIPTORS * _MOST) // _DESCRIPTORS)

    def run(self, signals: Signals) -> None:
        self._loop.run_until_complete(self._open())
        self._loop.add_reader(signals.fd, self._loop.stop)
        self._listen()
        self._loop.run_forever()
        self._loop.remove_reader(signals.fd)
        with contextlib.suppress(Failure):
            self._loop.run_until_complete(self._ledger.close())

    async def _open(self) -> None:
        try:
            await self._ledger.open()
        except Failure as failure:
            self._log.say(loglines.unusable(failure.sentence))

    def _accept(self) -> None:
        try:
            visitor, _ = self._listener.accept()
        except (BlockingIOError, ConnectionAbortedError):
            return
        except OSError:  # no memory or no descriptor is left: a loop that tries at once takes the rest
            self._rest()
            return
        uid = user_of(visitor)
        if self._inside[uid] < _MOST_OF_ONE or self._settings.trusts(uid):
            self._begin(uid, lambda: self._visitors.answer(visitor, uid))
            return
        if self._inside[uid] == _MOST_OF_ONE:
            self._log.say(loglines.too_many(uid))
        self._begin(uid, visitor.close)

    def _begin(self, uid: int, deed: Callable[[], None]) -> None:
        self._inside[uid] += 1
        if self._inside.total() >= self._most:
            self._loop.remove_reader(self._listener.fileno())
        try:
            threading.Thread(target=self._do, args=(uid, deed), daemon=True).start()
        except RuntimeError:  # there are too many of the whole user's or machine's: the connection goes with its deed
            self._end(uid)
            self._rest()

    def _do(self, uid: int, deed: Callable[[], None]) -> None:
        try:
            deed()
        finally:
            self._in_loop(self._end, uid)

    def _end(self, uid: int) -> None:
        if self._inside.total() == self._most:
            self._listen()
        self._inside[uid] -= 1
        if not self._inside[uid]:
            del self._inside[uid]

    def _listen(self) -> None:
        self._loop.add_reader(self._listener.fileno(), self._accept)

    def _rest(self) -> None:
        """Let nobody in for a moment."""
        self._loop.remove_reader(self._listener.fileno())
        self._loop.call_later(_REST, self._listen)

    def _say(self, line: bytes) -> None:
        """Write a line, from any thread."""
        self._in_loop(self._log.say, line)

    def _in_loop(self, call: Callable[[*_Args], object], *args: *_Args) -> None:
        with contextlib.suppress(RuntimeError):  # the loop has ended, and we with it
            self._loop.call_soon_threadsafe(call, *args)

    def _record(self, proven: Proven) -> Granted | NotGranted:
        """Have a login written down; in the thread of whoever tells of it."""
        login = Login(proven.address, proven.how, proven.user, recorder(proven.uid))
        return asyncio.run_coroutine_threadsafe(self._ledger.grant(login, proven.seconds), self._loop).result()


def _anybodys(ports: tuple[int, ...]) -> list[int]:
    """Those of our ports on which any user may listen (ip(7), ip_unprivileged_port_start)."""
    try:
        with open(_FIRST_PORT, encoding="ascii") as file:
            first = int(file.read())
    except (OSError, ValueError):
        first = 1024
    return [port for port in ports if port >= first]
