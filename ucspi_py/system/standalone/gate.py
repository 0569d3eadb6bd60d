"""The gate in a process of its own: the client on 0 and 1, and the program as its child once it is wanted."""

import asyncio
import signal
import socket
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from ...core.gate import loglines
from ...core.gate.settings import GateSettings
from ...core.service.settings import Program
from ...core.smtp.verdict import Refuse
from ..backend.spawn import Launcher, spawn_attributes
from ..gate.gate import Client, Gate
from ..gate.session import Alone, Hold
from ..gate.trust import Trust
from ..process import children
from ..process.rlimits import SoftLimits
from ..report.log import ERRORS, Log
from .client_socket import client_socket

if TYPE_CHECKING:
    from ..gate.lists.lookups import Ways
    from ..gate.logins.logins import Logins
    from ..gate.tls.starttls import StartTls
    from ..tls.session import TlsSession

#: Seconds that backends have to end when the client has left.
_LAST_WORDS = 6.0


class Screened(NamedTuple):
    """A client, as the screens before the gate leave it.

    environment: what its program gets. refusal: what a screen has against it; None = nothing. screen: that one's name
    in log lines.
    """

    environment: dict[bytes, bytes]
    refusal: Refuse | None = None
    screen: bytes = b""


def run(program: Program, client: Screened, soft_limits: SoftLimits) -> None:
    """Speak with the client until it leaves. program: has a gate, and what is started behind it.

    soft_limits: what softlimit in front of us meant for the program. Raises Failure where qmail's control files or keys
    for TLS cannot be used.
    """
    log = Log(ERRORS)
    backends = Backends(Launcher(program.argv, spawn_attributes(soft_limits, None)), log)
    with asyncio.Runner(loop_factory=asyncio.SelectorEventLoop) as runner:
        runner.run(_talk(program, backends, client, log))


async def _talk(program: Program, backends: "Backends", client: Screened, log: Log) -> None:
    if program.gate is None:
        raise ValueError("a program without a gate")
    asyncio.get_running_loop().add_signal_handler(signal.SIGCHLD, backends.reap)
    trust = Trust(await _logins(program.gate, log), _starttls(program.gate, log))
    gate = Gate(program.gate, log, lambda: False, ways, trust)
    opening = asyncio.ensure_future(gate.open())  # the client waits for no store that hangs, unless it needs it
    with client_socket() as connected:
        guest = Client(connected, client.environment, client.refusal, client.screen, backends.start, alone())
        if program.gate.tls is None or not program.gate.tls.wrapper_mode:
            await gate.talk(guest)
        elif secured := await _wrapped(trust, connected, log):
            await gate.talk(guest._replace(secured=secured))
    await _give_up(opening)
    await gate.close()
    await backends.end()


async def _give_up(opening: asyncio.Future[None]) -> None:
    """Have nothing opened any more: what is closed while it opens would be said to fail."""
    opening.cancel()
    await asyncio.wait((opening,))


async def _logins(settings: GateSettings, log: Log) -> "Logins | None":
    """Who may log in; only this client is counted, and its password is hidden. Raises as daemon() and checker() do."""
    if settings.logins is None:
        return None
    from ..auth.daemon import daemon
    from ..gate.logins.logins import Logins
    from ..gate.logins.prepared import checker
    from ..process.secrecy import hide_memory

    hide_memory()
    asked = checker(settings.logins, asyncio.get_running_loop(), daemon(settings.logins), None)
    await asked.ready()
    return Logins(settings.logins, asked, None, log)


def _starttls(settings: GateSettings, log: Log) -> "StartTls | None":
    """How the client begins TLS; nothing of it is loaded where it cannot. Raises Failure."""
    if settings.tls is None:
        return None
    from .tls import starttls

    return starttls(settings.tls, log)


async def _wrapped(trust: Trust, connected: socket.SocketType, log: Log) -> "TlsSession | None":
    if trust.tls is None:
        return None
    from .tls import wrapped

    return await wrapped(trust.tls, connected, log)


def ways() -> "Ways":
    from ..dnsbl.query import ask_zone
    from ..gate.lists.lookups import Ways
    from ..lookup import resolver

    ask = resolver.from_environment().ask
    return Ways(ask, partial(ask_zone, ask))


def alone() -> Hold:
    """Nobody is asked to leave for others where there are no others."""
    return Hold(Alone())


class Backends:
    """The backends of the one client, one after the other."""

    def __init__(self, launcher: Launcher, log: Log) -> None:
        self._launcher = launcher
        self._log = log
        self._running: dict[int, Callable[[int], None]] = {}
        self._all_ended = asyncio.Event()

    async def start(self, environment: dict[bytes, bytes], fd: int, on_end: Callable[[int], None]) -> int | None:
        """Start the program; its process id, None where it cannot be started.

        fd: what it gets as 0 and 1. on_end: called with its wait status.
        """
        try:
            pid = self._launcher.start(fd, environment)
        except (OSError, ValueError) as error:
            self._log.warn(loglines.warning(self._launcher.unable(error)))
            return None
        self._all_ended.clear()
        self._running[pid] = on_end
        return pid

    def reap(self) -> None:
        """Take the ends of those that have ended."""
        for pid, status in children.reap():
            on_end = self._running.pop(pid, None)
            if on_end:
                on_end(status)
        if not self._running:
            self._all_ended.set()

    async def end(self) -> None:
        """Wait until all have ended, for a while: whoever counts us counts them."""
        self.reap()
        try:
            async with asyncio.timeout(_LAST_WORDS):
                await self._all_ended.wait()
        except TimeoutError:
            pass
