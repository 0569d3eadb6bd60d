"""The program of a service, started for one client after the other as its server starts it. Screens are left out.

The gate is in this process, and loses what counts or delays clients: nothing of that decides who may relay.
"""

import asyncio
import signal
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from ...core.errors import Failure
from ...core.gate import loglines
from ...core.gate.settings import GateSettings
from ...core.gate.tls.settings import GateTls
from ...core.relaytest.probes import address_literal
from ...core.relaytest.script import Login
from ...core.service.settings import Program
from ..backend.spawn import Launcher, spawn_attributes
from ..gate.gate import Client, Gate, check
from ..gate.trust import Trust
from ..report.log import ERRORS, Log
from ..standalone.gate import Backends, alone, ways
from .one_user import OneUser
from .session import Connection, unverified

if TYPE_CHECKING:
    from ..gate.tls.starttls import StartTls
    from ..tls.session import TlsSession

#: More errors than one client makes here.
_MANY = 10_000
#: How the gate says what is wrong with a file.
_WARNING = b"smtpgate: warning: "


class Chain:
    """The gate of a service, if it has one, and its backend.

    login: the only one that the gate lets in. takes_logins: whether it lets anybody log in. warnings: what the gate has
    said of its files.
    """

    def __init__(self, program: Program, login: Login) -> None:
        self.warnings: dict[bytes, None] = {}
        self._name = program.argv[0]
        self._log = log = Log(ERRORS, self._write)
        self._backends = Backends(Launcher(program.argv, spawn_attributes((), None)), Log(ERRORS))
        tls = program.gate.tls if program.gate else None
        self._tls = _tls(tls, log) if tls else None
        self._is_wrapped = self._tls is not None and tls is not None and tls.wrapper_mode
        self._gate = None if program.gate is None else _gate(program.gate, log, self._trust(program.gate, login))
        self.takes_logins = bool(program.gate and program.gate.logins and not (tls and self._tls is None))
        asyncio.get_running_loop().add_signal_handler(signal.SIGCHLD, self._backends.reap)

    @asynccontextmanager
    async def connected(self, environment: dict[bytes, bytes]) -> AsyncIterator[Connection]:
        """Start it for a client, and give the client's end. Raises Failure where the gate's control files fail."""
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        with theirs:
            serving = asyncio.ensure_future(self._serve(theirs, environment))
            reader, writer = await asyncio.open_connection(sock=ours)
            try:
                if self._is_wrapped:
                    await writer.start_tls(unverified())
                yield Connection(reader, writer, address_literal(environment[b"TCPREMOTEIP"]))
            finally:
                writer.close()
                await serving

    def _trust(self, settings: GateSettings, login: Login) -> Trust:
        if settings.logins is None:
            return Trust(tls=self._tls)
        from ..gate.logins.logins import Logins

        return Trust(Logins(settings.logins, OneUser(login), None, self._log), self._tls)

    async def end(self) -> None:
        """Wait until all backends have ended, for a while."""
        await self._backends.end()

    async def _serve(self, theirs: socket.socket, environment: dict[bytes, bytes]) -> None:
        if self._gate is None:
            pid = await self._backends.start(environment, theirs.fileno(), lambda _status: None)
            theirs.close()  # from now on the program alone has it
            if pid is None:
                raise Failure(f"unable to run {self._name}")
            return
        theirs.setblocking(False)
        client = Client(theirs, environment, None, b"", self._backends.start, alone())
        if not self._is_wrapped:
            await self._gate.talk(client)
        elif secured := await self._wrapped(theirs):
            await self._gate.talk(client._replace(secured=secured))

    async def _wrapped(self, theirs: socket.socket) -> "TlsSession | None":
        from ..standalone.tls import wrapped

        return await wrapped(self._tls, theirs, self._log) if self._tls else None

    def _write(self, data: bytes) -> int:
        """Keep what the gate says of its files, once; what it says of clients is told by its replies."""
        self.warnings |= dict.fromkeys(line for line in data.splitlines() if line.startswith(_WARNING))
        return len(data)


def _tls(settings: GateTls, log: Log) -> "StartTls | None":
    """Read the keys; where we may not, nothing is tried within TLS."""
    from ..standalone.tls import starttls

    try:
        return starttls(settings, log)
    except Failure as failure:
        log.warn(loglines.warning(f"{failure.sentence}: nothing is tried within TLS"))
        return None


def _gate(settings: GateSettings, log: Log, trust: Trust) -> Gate:
    unhurried = replace(settings.smtp, error_sleep_time=0, hard_error_limit=_MANY, junk_command_limit=_MANY)
    settings = replace(settings, smtp=unhurried, event_limits=None)
    check(settings, log)
    return Gate(settings, log, lambda: False, ways, trust)
