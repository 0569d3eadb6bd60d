"""A gate in the test's process: its clients at socketpairs, real backends, and a clock that the test sets."""

import asyncio
import os
import socket
import struct
import time
from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.support.admission import Lines
from tests.support.gate import controls, no_ways, without_ids
from ucspi_py.core.gate.content.settings import ContentSettings
from ucspi_py.core.gate.milter.settings import GateMilters
from ucspi_py.core.gate.restrictions.settings import RestrictionSettings
from ucspi_py.core.gate.settings import GateSettings
from ucspi_py.core.smtp.settings import SmtpSettings
from ucspi_py.core.smtp.verdict import Refuse
from ucspi_py.system.accept.scoreboard import Scoreboard
from ucspi_py.system.gate import client_end
from ucspi_py.system.gate import gate as gates
from ucspi_py.system.gate.gate import Client, Gate
from ucspi_py.system.gate.lists.lookups import Ways
from ucspi_py.system.gate.session import Hold
from ucspi_py.system.gate.trust import NOBODY, Trust
from ucspi_py.system.process.loop import new_loop
from ucspi_py.system.refuse import held
from ucspi_py.system.refuse.held import Held

BANNER = b"220 mx.example.org ESMTP"
MAIL, RCPT = b"MAIL FROM:<s@example.net>", b"RCPT TO:<r@example.org>"
BEGIN = (b"HELO c.example", MAIL, RCPT)
STRANGER, RELAY = {b"TCPREMOTEIP": b"192.0.2.7"}, {b"TCPREMOTEIP": b"192.0.2.8", b"RELAYCLIENT": b""}
WHO = b"unknown[192.0.2.7]"

#: What every backend of a few lines of shell begins with. It writes all that it hears to $OUT.
SHELL = r"""
s() { printf '%s\r\n' "$@"; }
h() { read -r line && printf '%s\n' "$line" >>"$OUT"; }
until_dot() { while h; do case $line in .?) return;; esac; done; exit 54; }
held() { while [ -e "$OUT.held" ]; do sleep 0.01; done; }
"""
#: Takes everything. It waits before it reads content and before it answers to it while $OUT.held is there.
OBLIGING = r"""
s '220 here'
while h; do case $line in
    DATA*) s '354 go'; held; until_dot; held; s '250 queued';;
    QUIT*) s '221 bye'; exit;;
    *no@*) s '550 not him';;
    *) s '250 ok';;
esac; done
"""

_RESETS = struct.pack("ii", 1, 0)


class Clock:
    """A clock that goes on when it is told to, and for nobody but the gate."""

    def __init__(self) -> None:
        self.now = time.monotonic()

    def monotonic(self) -> float:
        return self.now

    def monotonic_ns(self) -> int:
        return int(self.now * 1e9)


def set_by_test(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The clock of a gate from now on, which is looked at all the time."""
    clock = Clock()
    for module in (gates, client_end, held):
        monkeypatch.setattr(module, "time", clock)
    monkeypatch.setattr(gates, "_LOOKS", 0.001)
    return clock


class Backends:
    """The backends of one client. slot: set = there is one. waiting: clients that wait for it."""

    def __init__(self, script: str, out: Path) -> None:
        self.slot = asyncio.Event()
        self.slot.set()
        self.waiting = self.started = 0
        self.statuses: list[int] = []
        self._script = SHELL + script
        self._environment = {b"PATH": b"/usr/bin:/bin", b"OUT": os.fsencode(out)}

    async def start(self, environment: dict[bytes, bytes], fd: int, on_end: Callable[[int], None]) -> int | None:
        """Start one."""
        self.waiting += 1
        try:
            await self.slot.wait()
        finally:
            self.waiting -= 1
        self.started += 1
        on_both = [(os.POSIX_SPAWN_DUP2, fd, 0), (os.POSIX_SPAWN_DUP2, fd, 1)]
        variables = environment | self._environment
        pid = os.posix_spawn("/bin/sh", ["/bin/sh", "-c", self._script], variables, file_actions=on_both)
        pidfd = os.pidfd_open(pid)
        asyncio.get_running_loop().add_reader(pidfd, self._reap, pid, pidfd, on_end)
        return pid

    def _reap(self, pid: int, pidfd: int, on_end: Callable[[int], None]) -> None:
        asyncio.get_running_loop().remove_reader(pidfd)
        os.close(pidfd)
        self.statuses.append(os.waitpid(pid, 0)[1])
        on_end(self.statuses[-1])


class Guest:
    """A client. task: its session."""

    def __init__(self, connected: socket.socket, row: int, backends: Backends, task: asyncio.Task[None]) -> None:
        self.socket = connected
        self.row = row
        self.backends = backends
        self.task = task
        self._rest = b""

    async def say(self, data: bytes) -> None:
        """Send it all."""
        async with asyncio.timeout(10):
            await asyncio.get_running_loop().sock_sendall(self.socket, data)

    async def line(self) -> bytes:
        """The next line, without its end; b"" where there is no more."""
        async with asyncio.timeout(10):
            while b"\r\n" not in self._rest:
                try:
                    piece = await asyncio.get_running_loop().sock_recv(self.socket, 65536)
                except ConnectionResetError:
                    piece = b""
                if not piece:
                    return b""
                self._rest += piece
        line, _, self._rest = self._rest.partition(b"\r\n")
        return line

    async def rest(self) -> list[bytes]:
        """All lines up to the end."""
        lines = []
        while line := await self.line():
            lines.append(line)
        return lines

    async def ask(self, *commands: bytes) -> bytes:
        """Say commands, each behind the reply to the one before; the last reply, which has one line."""
        line = b""
        for command in commands:
            await self.say(command + b"\r\n")
            line = await self.line()
        return line

    async def begin_content(self) -> None:
        """Say a message as far as to its content."""
        assert await self.ask(*BEGIN, b"DATA") == b"354 go"

    def hang_up(self) -> None:
        """Say no more."""
        self.socket.shutdown(socket.SHUT_WR)

    def reset(self) -> None:
        """Be gone, so that it is noticed: what we have not read resets the connection."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESETS)
        self.socket.close()

    async def gone(self) -> None:
        """Wait until its session is over."""
        async with asyncio.timeout(10):
            await asyncio.wait([self.task])


class _InRow(NamedTuple):
    """Where a client stands: among those of its row."""

    held: Held
    row: int

    def expose(self, dismiss: Callable[[], None], /) -> None:
        """See Standing."""
        self.held.hold(self.row, dismiss)

    def protect(self) -> bool:
        """See Standing."""
        return self.held.protect(self.row)


class Room:
    """A gate, its clients and their places. out: what backends have heard."""

    def __init__(
        self,
        folder: Path,
        script: str = OBLIGING,
        *,
        content_limit: int | None = None,
        trust: Trust = NOBODY,
        restrictions: RestrictionSettings | None = None,
        milters: GateMilters | None = None,
        content: ContentSettings | None = None,
        ways: Callable[[], Ways] = no_ways,
        dry_run: bool = False,
        **smtp: Any,
    ) -> None:
        self.log = Lines()
        self.is_crowded = False
        self.out = folder / "out"
        self.board = Scoreboard(0, 8)
        self.held = Held(self.board, lambda: None)
        self.guests: list[Guest] = []
        self._script = script
        self._holds = self.out.with_suffix(".held")
        control = controls(folder / "control")
        settings = GateSettings(
            SmtpSettings(**smtp),
            message_size_limit=content_limit,
            qmail_control=str(control),
            restrictions=restrictions,
            milters=milters,
            content=content,
            dry_run=dry_run,
        )
        self.gate = Gate(settings, self.log, lambda: self.is_crowded, ways, trust)

    @property
    def told(self) -> list[bytes]:
        """The log without -v, and without what is said of all lines."""
        lines = [without_ids(line).removeprefix(b"smtpgate: ").removesuffix(b"\n") for line in self.log.lines]
        return [line for line in lines if not line.startswith(b"disconnect from ")]

    @property
    def heard(self) -> list[bytes]:
        """What the backends have heard."""
        return self.out.read_bytes().replace(b"\r", b"").splitlines() if self.out.exists() else []

    def hold(self) -> None:
        """Let backends wait before content and before the answer to it."""
        self._holds.touch()

    def go_on(self) -> None:
        """Let them go on."""
        self._holds.unlink()

    async def silent(
        self, environment: dict[bytes, bytes] | None = None, refusal: Refuse | None = None, *, first: bytes = b""
    ) -> Guest:
        """A new client that has read nothing yet. first: what it says before the banner."""
        ours, theirs = connected_over_tcp()
        theirs.send(first)
        row = self.board.claim(self.board.pending)
        assert row is not None
        backends = Backends(self._script, self.out)
        holds = Hold(_InRow(self.held, row))
        client = Client(ours, environment or STRANGER, refusal, b"screen", backends.start, holds)
        guest = Guest(theirs, row, backends, asyncio.create_task(self._talk(client, row)))
        self.guests.append(guest)
        return guest

    async def guest(self, environment: dict[bytes, bytes] | None = None, refusal: Refuse | None = None) -> Guest:
        """A new client that has read the banner."""
        guest = await self.silent(environment, refusal)
        assert await guest.line() == BANNER
        return guest

    async def _talk(self, client: Client, row: int) -> None:
        try:
            await self.gate.talk(client)
        finally:
            self.held.forget(row)
            self.board.give_back(row)
            client.socket.close()


async def eventually(condition: Callable[[], object]) -> None:
    """Let the loop run until a condition holds."""
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.001)


async def looked_at() -> None:
    """Let the gate look at all its sessions a few times."""
    for _ in range(4):
        await asyncio.sleep(0.002)


def play(room: Room, story: Callable[[Room], Awaitable[None]]) -> Room:
    """Play a story; nobody is left then, no backend, no place and no trouble."""
    troubles: list[dict[str, Any]] = []

    async def whole() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _loop, context: troubles.append(context))
        async with asyncio.timeout(30):
            try:
                await story(room)
            finally:
                for guest in room.guests:
                    guest.socket.close()
                    await guest.gone()
            await eventually(lambda: all(len(g.backends.statuses) == g.backends.started for g in room.guests))

    with closing(new_loop()) as loop:
        watched: dict[int, Any] = loop._poll._calls  # type: ignore[attr-defined]
        own = len(watched)
        loop.run_until_complete(whole())
        assert len(watched) == own
    assert not troubles
    assert not room.gate._conversations
    assert room.board.free(room.board.pending) == 8
    assert not any(guest.backends.waiting for guest in room.guests)
    return room


def connected_over_tcp() -> tuple[socket.socket, socket.socket]:
    """Both ends of a connection over TCP, with little room on its way: ours, theirs, which never waits."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        theirs = socket.create_connection(server.getsockname())
        ours, _ = server.accept()
    for connected in (ours, theirs):
        connected.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 32768)
        connected.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 32768)
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    theirs.setblocking(False)
    return ours, theirs
