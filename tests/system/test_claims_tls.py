"""Every claim of a client that speaks TLS is given back, wherever an error that nobody expected comes from."""

import asyncio
import os
import socket
import ssl
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, cast

import pytest

import ucspi_py
from tests.support.admission import House
from tests.support.claims import PROGRAM, Launcher, error_at, service, try_to_send, turns
from tests.support.gate import controls, no_ways
from tests.support.gate_tls import NAME, Keys
from ucspi_py.core.client import limits
from ucspi_py.core.client.connection import Endpoints
from ucspi_py.core.gate.settings import GateSettings
from ucspi_py.core.service.settings import Program
from ucspi_py.core.tls.settings import TlsSettings
from ucspi_py.system.accept.scoreboard import Place
from ucspi_py.system.gate.gate import Gate
from ucspi_py.system.service import session
from ucspi_py.system.service.at_tls import FromTheFirstByte, OnRequest
from ucspi_py.system.service.context import Service
from ucspi_py.system.service.shared import SharedTls
from ucspi_py.system.tls.contexts import Contexts
from ucspi_py.system.tls.pem import sealed

#: What a client with TLS meets, besides what all meet: test_claims has that.
ROOMS = {
    "core/tls/environment.py",
    "core/tls/facts.py",
    "core/tls/ucspi.py",
    "system/service/at_tls.py",
    "system/stream/outlet.py",
    "system/tls/bulk.py",
    "system/tls/handshake.py",
    "system/tls/pump.py",
    "system/tls/pumps.py",
    "system/tls/session.py",
    "system/tls/tls_stream.py",
}
PACKAGE = Path(ucspi_py.__file__).parent
FILES = {str(PACKAGE / room) for room in ROOMS}
ENDPOINTS = Endpoints(b"127.0.0.1", b"25", b"192.0.2.1", b"4000")
SAID = b"EHLO c\r\n"
#: Flights of a handshake, and one more.
_FLIGHTS = 4


class Asking(Launcher):
    """Its programs ask for TLS at once, and speak within it."""

    def start(self, _fd: int, environment: dict[bytes, bytes], more: Sequence[int] = ()) -> int:
        """See Launcher."""
        control, data = more
        os.write(control, b"Y")
        return super().start(data, environment)


class Talker:
    """A client's end, carried on between turns of the worker's loop in the same thread."""

    def __init__(self, house: House, context: ssl.SSLContext) -> None:
        self._house = house
        self._plain = house.connect()
        self._plain.setblocking(False)
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._in, self._out, server_hostname=NAME)

    def talk(self) -> None:
        """Shake hands, say something, hear what comes, and leave; whatever it is told."""
        for deed in (*[self._tls.do_handshake] * _FLIGHTS, lambda: self._tls.write(SAID), lambda: self._tls.read(1000)):
            self._do(deed)
        self._plain.close()
        self._house.loop.run_until_complete(turns())

    def _do(self, deed: Callable[[], object]) -> None:
        try:
            deed()
        except ssl.SSLError:
            pass
        try_to_send(self._plain, self._out.read())
        self._house.loop.run_until_complete(turns())
        try:
            self._in.write(self._plain.recv(65536))
        except OSError:
            pass


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Keys:
    return Keys(tmp_path_factory.mktemp("ca"))


@pytest.fixture(scope="module")
def shared(keys: Keys) -> SharedTls:
    settings = TlsSettings((keys.pair,))
    contexts = Contexts(settings, print)
    contexts.use([sealed(keys.pair)])
    return SharedTls(settings, contexts, cast(Any, None))


class Visit:
    """One client with TLS comes and goes while something fails; then nothing is claimed any more."""

    def __init__(
        self, keys: Keys, shared: SharedTls, control: Path | None, *, refusing: bool, on_request: bool
    ) -> None:
        self._keys = keys
        self._shared = shared
        self._gate = GateSettings(qmail_control=str(control)) if control else None
        self._refusing = refusing
        self._on_request = on_request
        self._services: list[Service] = []

    def until_failed(self, step: int) -> list[str]:
        """What failed: the step of this number."""
        self._services = []
        changes: dict[str, Any] = {"tls": self._shared.settings, "tls_on_request": self._on_request, "limit": 2}
        with House(self._serve, program=Program((), ("true",), self._gate), **changes) as house:
            launcher = (Asking if self._on_request else Launcher)(at_gate=True)
            self._services.append(self._service(house, launcher))
            with error_at(step, FILES) as failed:
                Talker(house, self._keys.trusting).talk()
            self._check(house, launcher, failed)
        return failed

    async def _serve(self, _house: House, _number: int, client: socket.SocketType, place: Place | None) -> None:
        await session.serve(self._services[0], client, ENDPOINTS, place)

    def _service(self, house: House, launcher: Launcher) -> Service:
        gate = Gate(self._gate, house.log, house.admission.is_crowded, no_ways) if self._gate else None
        tls = (OnRequest if self._on_request else FromTheFirstByte)(self._shared)
        return service(house, launcher, refusing=self._refusing, gate=gate, tls=tls)

    def _check(self, house: House, launcher: Launcher, failed: list[str]) -> None:
        """Its slot is free once its program has ended, which hears of it."""
        house.loop.run_until_complete(turns())
        assert not launcher.running, failed
        for number in range(launcher.started):
            self._services[0].backends.ended(PROGRAM + 1 + number, 0)
        house.admission.close()
        house.run_to_the_end()
        assert not asyncio.all_tasks(house.loop), failed
        assert house.board.free(house.board.slots) == 2, failed
        assert house.board.free(house.board.pending) == len(house.board.pending), failed
        assert house.board.count_client(limits.keys(house.settings.client_limits, b"192.0.2.1").client) == 0
        assert not house.admission.held.dismiss_oldest()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize(
    ("at_gate", "refusing", "on_request", "wanted"),
    [
        (False, False, False, {"secured", "run", "carry", "done", "read", "_hear_program"}),
        (False, False, True, {"given_to", "asked", "told", "handshake", "carry", "_hear_client"}),
        (False, True, False, {"opening", "begin", "send", "_go_on"}),
        (True, False, False, {"begin", "send", "_go_on", "output"}),
    ],
    ids=["before a program", "on request", "refused", "at the gate"],
)
def test_nothing_of_a_client_with_tls_stays_claimed(  # noqa: PLR0917
    at_gate: bool, refusing: bool, on_request: bool, wanted: set[str], keys: Keys, shared: SharedTls, tmp_path: Path
) -> None:
    """Neither its place nor its program's slot, once it has left; nothing waits for an answer that never comes."""
    visit = Visit(keys, shared, controls(tmp_path) if at_gate else None, refusing=refusing, on_request=on_request)
    seen: set[str] = set()
    step = 1
    while failed := visit.until_failed(step):
        seen.update(failed)
        step += 1

    assert wanted <= seen


def test_every_room_that_is_watched_is_there() -> None:
    """A room that is moved would be spared all errors, and nobody would notice."""
    assert [room for room in ROOMS if not (PACKAGE / room).is_file()] == []
