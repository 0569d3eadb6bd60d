"""What a client claims of a worker, and errors that come from anywhere while it has it."""

import asyncio
import os
import socket
import sys
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from types import FrameType
from typing import Any, cast

from tests.support.admission import House
from ucspi_py.core.dnsbl.settings import DnsblSettings
from ucspi_py.core.rules.data import DEFAULT, Instructions
from ucspi_py.core.smtp.verdict import Refuse
from ucspi_py.system.accept.client_counter import ClientCounter
from ucspi_py.system.backend.backends import Backends
from ucspi_py.system.gate.gate import Gate
from ucspi_py.system.lookup.names import NameLookup
from ucspi_py.system.report.connection_log import ConnectionLog
from ucspi_py.system.service.context import Service, Tls

#: The process id of the first program, less one.
PROGRAM = 4711
#: What gives back, and what tells of the error: no error comes from there.
SPARED = {
    "give_back",
    "_leave",
    "_forgo",
    "guarded",
    "_on_over",
    "_receive",
    "leave",
    "note_news",
    "changed",
    "forget",
    "_look",
    "_on_held",
    "crashed",
    "tell",
}


@contextmanager
def error_at(step: int, files: Collection[str]) -> Iterator[list[str]]:
    """The function call of this number among all in these files fails for want of memory; its name."""
    calls = 0
    failed: list[str] = []

    def trace(frame: FrameType, _event: str, _argument: object) -> None:
        nonlocal calls
        code = frame.f_code
        if code.co_filename in files and code.co_name not in SPARED:
            calls += 1
            if calls == step:
                failed.append(code.co_name)
                raise MemoryError

    sys.settrace(trace)
    try:
        yield failed
    finally:
        sys.settrace(None)


class Launcher:
    """Starts nothing. at_gate: but talks to the gate as a backend would.

    started: as many as were to be started, each under the next process id. running: those that the gate has not left.
    """

    name = "true"

    def __init__(self, *, at_gate: bool) -> None:
        self._at_gate = at_gate
        self.started = self.running = 0

    def start(self, fd: int, _environment: dict[bytes, bytes], _more: Sequence[int] = ()) -> int:
        """As if."""
        self.started += 1
        if self._at_gate:
            self.running += 1
            backend = socket.socket(fileno=os.dup(fd))
            backend.send(b"220 here\r\n")
            asyncio.get_running_loop().add_reader(backend, self._answer, backend)
        return PROGRAM + self.started

    def _answer(self, backend: socket.socket) -> None:
        heard = backend.recv(1000, socket.MSG_DONTWAIT)
        for line in heard.splitlines():
            if line != b"text":
                backend.send({b"DATA": b"354", b"QUIT": b"221"}.get(line, b"250") + b" ok\r\n")
        if not heard:
            asyncio.get_running_loop().remove_reader(backend)
            backend.close()
            self.running -= 1


@dataclass
class Refusing:
    """A screen that refuses everybody."""

    settings: DnsblSettings

    async def judge(self, _environment: dict[bytes, bytes], _client: socket.SocketType, /) -> Refuse:
        """No."""
        return Refuse(451, b"no")


def service(
    house: House,
    launcher: Launcher,
    *,
    refusing: bool,
    gate: Gate | None = None,
    rule: Instructions = DEFAULT,
    tls: Tls | None = None,
) -> Service:
    """What a client meets in a house, without look-ups."""
    screen = Refusing(DnsblSettings((), 60, 1.0))
    connection_log = ConnectionLog(house.log, house.board, house.settings.limit)
    backends = Backends(
        house.admission.slots,
        cast(Any, launcher),
        connection_log,
        house.admission.rest,
        in_bursts=not house.settings.has_pending,
    )
    return Service(
        settings=house.settings,
        names=NameLookup(replace(house.settings, remote_info=False), cast(Any, None)),
        decide=lambda *_client: rule,
        environment={},
        counter=ClientCounter(house.board, None),
        screens=cast(Any, (screen,) if refusing else ()),
        gate=gate,
        held=house.admission.held,
        backends=backends,
        connection_log=connection_log,
        tls=tls,
    )


async def turns(count: int = 20) -> None:
    """As many turns of the loop as a client needs for all that it does at once."""
    for _ in range(count):
        await asyncio.sleep(0)


def try_to_send(client: socket.socket, words: bytes) -> None:
    """Send it, if it has not been left already."""
    try:
        client.sendall(words)
    except OSError:
        pass
