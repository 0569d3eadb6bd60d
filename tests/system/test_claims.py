"""Every claim is given back, wherever an error that nobody expected comes from."""

import asyncio
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from types import FrameType
from typing import Any, cast

import pytest

import ucspi_py
from tests.support.admission import House
from ucspi_py.core.client import limits
from ucspi_py.core.client.connection import Endpoints
from ucspi_py.core.dnsbl.settings import DnsblSettings
from ucspi_py.core.rules.data import DEFAULT
from ucspi_py.core.smtp.verdict import Refuse
from ucspi_py.system.accept.client_counter import ClientCounter
from ucspi_py.system.accept.scoreboard import Place
from ucspi_py.system.backend.backends import Backends
from ucspi_py.system.lookup.names import NameLookup
from ucspi_py.system.report.connection_log import ConnectionLog
from ucspi_py.system.service import session
from ucspi_py.system.service.context import Service

#: Where the error may come from: all that a client meets. What gives back is not among it, nor what tells of the error.
ROOMS = {
    "system/service/admission.py",
    "system/service/session.py",
    "system/service/context.py",
    "system/backend/backends.py",
    "system/accept/slots.py",
    "system/accept/places.py",
    "system/accept/overflow.py",
    "system/accept/scoreboard.py",
    "system/accept/client_counter.py",
    "system/accept/socket_options.py",
    "system/lookup/names.py",
    "system/refuse/held.py",
    "system/stream/stream.py",
    "core/client/limits.py",
    "core/client/connection.py",
}
PACKAGE = Path(ucspi_py.__file__).parent
FILES = {str(PACKAGE / room) for room in ROOMS}
SPARED = {
    "give_back",
    "_leave",
    "_forgo",
    "leave",
    "note_news",
    "changed",
    "forget",
    "_look",
    "_on_held",
    "crashed",
    "tell",
}

PROGRAM = 4711


@contextmanager
def error_at(step: int) -> Iterator[list[str]]:
    """The function call of this number among all that a client meets fails for want of memory; its name."""
    calls = 0
    failed: list[str] = []

    def trace(frame: FrameType, _event: str, _argument: object) -> None:
        nonlocal calls
        code = frame.f_code
        if code.co_filename in FILES and code.co_name not in SPARED:
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
    """Starts nothing."""

    name = "true"

    def start(self, _fd: int, _environment: dict[bytes, bytes]) -> int:
        """As if."""
        return PROGRAM


@dataclass
class Refusing:
    """A screen that refuses everybody."""

    settings: DnsblSettings

    async def judge(self, _environment: dict[bytes, bytes], _client: socket.SocketType, /) -> Refuse:
        """No."""
        return Refuse(451, b"no")


def service(house: House, *, refusing: bool) -> Service:
    """What a client meets in a house, without look-ups."""
    screen = Refusing(DnsblSettings((), 60, 1.0))
    connection_log = ConnectionLog(house.log, house.board, house.settings.limit)
    return Service(
        settings=house.settings,
        names=NameLookup(replace(house.settings, remote_info=False), cast(Any, None)),
        decide=lambda *_client: DEFAULT,
        environment={},
        counter=ClientCounter(house.board, None),
        screens=cast(Any, (screen,) if refusing else ()),
        gate=None,
        held=house.admission.held,
        backends=Backends(
            house.admission.slots,
            cast(Any, Launcher()),
            connection_log,
            house.admission.rest,
            in_bursts=not house.settings.has_pending,
        ),
        connection_log=connection_log,
    )


async def turns() -> None:
    """As many turns of the loop as a client needs for all that it does at once."""
    for _ in range(20):
        await asyncio.sleep(0)


def one_client(step: int, *, in_pending: bool, refusing: bool) -> list[str]:
    """One client comes and goes while something fails; then nothing is claimed any more. What failed."""

    async def serve(_house: House, _number: int, client: socket.SocketType, place: Place | None) -> None:
        endpoints = Endpoints(b"127.0.0.1", b"25", b"127.0.0.1", b"%d" % client.getpeername()[1])
        await session.serve(services[0], client, endpoints, place)

    services: list[Service] = []
    with House(serve, remote_info=in_pending, limit=2) as house:
        services.append(service(house, refusing=refusing))
        client = house.connect()
        with error_at(step) as failed:
            house.loop.run_until_complete(turns())
            client.close()
            house.loop.run_until_complete(turns())
        house.admission.close()
        house.run_to_the_end()
        house.admission.slots.ended(PROGRAM)
        assert house.board.free(house.board.slots) == 2, failed
        assert house.board.free(house.board.pending) == len(house.board.pending), failed
        assert house.board.count_client(limits.keys(house.settings.client_limits, b"127.0.0.1").client) == 0
        if failed:
            assert house.log.lines, failed
    return failed


# A session that fails at its very beginning leaves its client's socket to whoever closes what nobody has any more.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize(
    ("in_pending", "refusing"),
    [(False, False), (True, False), (True, True)],
    ids=["straight to its program", "looked up", "held"],
)
def test_nothing_stays_claimed_whatever_fails(in_pending: bool, refusing: bool) -> None:
    """Slots, places and the client's socket; and the worker ends when it is told to."""
    seen = set()
    step = 1
    while failed := one_client(step, in_pending=in_pending, refusing=refusing):
        seen.update(failed)
        step += 1

    assert {"serve", "call_in", "claim", "name"} <= seen
    assert refusing == ("begin" in seen)
    assert refusing != ("start" in seen)


def test_every_room_that_is_watched_is_there() -> None:
    """A room that is moved would be spared all errors, and nobody would notice."""
    assert [room for room in ROOMS if not (PACKAGE / room).is_file()] == []
