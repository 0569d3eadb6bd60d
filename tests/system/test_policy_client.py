"""Policy services asked over real sockets: deadlines, tries, the breaker, and connections that are kept."""

import asyncio
import socket
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.support.clock_ahead import ClockAhead
from tests.support.policy_server import CLOSES, SILENT, PolicyServer, policy_server
from tests.support.ports import free_port
from ucspi_py.core.dns.message import AAAA, A, Absent, Answer, Found
from ucspi_py.core.gate.policy.service import parse_service
from ucspi_py.core.gate.policy.settings import PolicySettings
from ucspi_py.core.gate.restrictions.checks.actions import flaw
from ucspi_py.core.policy.asking import REPLY_LIMIT, request
from ucspi_py.system.gate.policy import client as clients
from ucspi_py.system.gate.policy.client import PolicyClient
from ucspi_py.system.gate.policy.connection import PolicyConnection
from ucspi_py.system.process.loop import new_loop

ASKED = request([(b"request", b"smtpd_access_policy"), (b"recipient", b"r@example.org")])
#: Settings with which a failure is one at once.
ONE_TRY = PolicySettings(try_limit=1)
#: Addresses that some name servers know.
KNOWN = {(b"policy.example", A): Found((b"\x7f\0\0\1",)), (b"six.example", AAAA): Found((b"\0" * 15 + b"\1",))}


@pytest.fixture(params=["inet", "unix"])
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[PolicyServer]:
    """A policy server."""
    with policy_server(tmp_path / "socket" if request.param == "unix" else None) as found:
        yield found


@pytest.fixture
def over_inet() -> Iterator[PolicyServer]:
    """One over TCP alone, where the kind of socket makes no difference."""
    with policy_server() as found:
        yield found


def known(name: bytes, kind: int, _deadline: float, callback: Callable[[Answer], None]) -> None:
    """Answer as a name server would."""
    callback(KNOWN.get((name, kind), Absent()))


class Asking:
    """A client of a service. said: what it has said of failures."""

    def __init__(self, service: str, settings: PolicySettings = ONE_TRY) -> None:
        self.said: list[str] = []
        self.client = PolicyClient(parse_service(service, partial(flaw, classes=())), settings, known, self.said.append)

    async def ask(self, seconds: float = 20.0) -> bytes | None:
        """Ask once."""
        return await self.client.ask(ASKED, time.monotonic() + seconds)

    async def ask_at_once(self, count: int) -> list[bytes | None]:
        """Ask for several clients."""
        return await asyncio.gather(*(self.ask() for _ in range(count)))


def run(asking: Asking, whole: Callable[[], Awaitable[Any]]) -> Any:
    """Run in a loop as a worker has it, which keeps no connection behind it."""
    loop = new_loop()

    async def limited() -> Any:
        async with asyncio.timeout(30):
            found = await whole()
        asking.client.close()
        return found

    try:
        return loop.run_until_complete(limited())
    finally:
        loop.run_until_complete(asyncio.sleep(0))
        loop.close()


def test_a_service_is_asked_on_one_connection(server: PolicyServer) -> None:
    """One question after another, as by Postfix."""
    asking = Asking(server.service)

    async def whole() -> None:
        assert [await asking.ask() for _ in range(3)] == [b"DUNNO"] * 3
        server.say(b"550 5.7.23 no")
        assert await asking.ask() == b"550 5.7.23 no"

    run(asking, whole)
    assert (server.connections, asking.said) == (1, [])
    assert server.heard("recipient") == ["r@example.org"] * 4


def test_clients_at_once_have_a_connection_each(over_inet: PolicyServer) -> None:
    """Nobody waits for the answer to another, up to twenty."""
    asking = Asking(over_inet.service)

    assert run(asking, lambda: asking.ask_at_once(50)) == [b"DUNNO"] * 50
    assert 1 < over_inet.connections <= 20


def test_a_service_that_was_started_anew_is_asked_at_once(server: PolicyServer) -> None:
    """A kept connection that is closed is no failure, and no try."""
    asking = Asking(server.service)

    async def whole() -> None:
        assert await asking.ask_at_once(3) == [b"DUNNO"] * 3
        server.drop()
        assert await asking.ask() == b"DUNNO"

    run(asking, whole)
    assert asking.said == []


@pytest.mark.parametrize(
    ("settings", "connections"),
    [(PolicySettings(request_limit=2), 2), (PolicySettings(max_ttl=0), 3), (PolicySettings(max_idle=0), 3)],
)
def test_a_connection_has_its_limits(over_inet: PolicyServer, settings: PolicySettings, connections: int) -> None:
    """Of questions and of time."""
    asking = Asking(over_inet.service, settings)

    async def whole() -> list[bytes | None]:
        return [await asking.ask() for _ in range(3)]

    assert run(asking, whole) == [b"DUNNO"] * 3
    assert over_inet.connections == connections


def test_what_nobody_has_asked_for_ends_a_connection(over_inet: PolicyServer) -> None:
    """Else it would be the answer to the next question."""
    over_inet.say(b"=action=DUNNO\n\naction=OK\n\n")
    asking = Asking(over_inet.service)

    async def whole() -> None:
        first = await asking.ask()
        over_inet.say(b"REJECT")
        asking.client._standing = asking.client._standing._replace(open_until=0.0)
        assert (first, await asking.ask()) in ((None, b"REJECT"), (b"DUNNO", b"REJECT"))

    run(asking, whole)
    assert over_inet.connections == 2


def test_what_comes_behind_an_answer_before_that_is_read_ends_a_connection() -> None:
    """Also in the same turn of the loop."""

    async def whole() -> bytes:
        ours, theirs = socket.socketpair()
        with theirs:
            _, connection = await asyncio.get_running_loop().create_unix_connection(PolicyConnection, sock=ours)
            asking = asyncio.ensure_future(connection.ask(ASKED))
            await asyncio.sleep(0)
            connection.data_received(b"action=OK\n\n")
            connection.data_received(b"action=REJECT\n\n")
            assert not connection.is_open
            return await asking

    with closing(new_loop()) as loop:
        assert loop.run_until_complete(whole()) == b"OK"


@pytest.mark.parametrize(
    ("action", "why"),
    [
        (CLOSES, "it has closed the connection"),
        (b"=garbage\n\n", "its reply has a line that is not name=value"),
        (b"=action=" + b"x" * REPLY_LIMIT + b"\n\n", "its reply has more than 12288 bytes"),
        (b"=" + b"x" * 1_000_000, "its reply has more than 12288 bytes"),
    ],
    ids=["closes", "garbage", "long", "1 MB"],
)
def test_what_is_no_answer_is_none(server: PolicyServer, action: bytes, why: str) -> None:
    """And is said, with what is done then."""
    server.say(action)
    asking = Asking(server.service)

    assert run(asking, asking.ask) is None
    assert asking.said == [f"policy service {server.service}: {why}; its default action is done, DUNNO"]


@pytest.mark.parametrize("action", [SILENT, b"=action=DUNNO\n"], ids=["silent", "no empty line"])
def test_a_service_has_its_time(over_inet: PolicyServer, action: bytes) -> None:
    """That of its own, or what is left of the command's; without the empty line there is no answer."""
    over_inet.say(action)
    asking = Asking(over_inet.service)

    assert run(asking, lambda: asking.ask(0.1)) is None
    assert asking.said == [f"policy service {over_inet.service}: timed out; its default action is done, DUNNO"]
    assert len(over_inet.requests) == 1


def test_a_dead_service_is_tried_again(over_inet: PolicyServer) -> None:
    """try_limit times, within one deadline."""
    over_inet.say(CLOSES)
    asking = Asking(over_inet.service, PolicySettings(try_limit=3, retry_delay=0))

    assert run(asking, asking.ask) is None
    assert len(over_inet.requests) == 3


def test_behind_a_failure_nobody_waits_for_two_seconds(
    over_inet: PolicyServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Then one client asks, and the others do not wait for it; it is said once a minute."""
    clock, asking = ClockAhead(monkeypatch, clients), Asking(over_inet.service)

    async def whole() -> None:
        over_inet.say(CLOSES)
        assert await asking.ask_at_once(1) == [None]
        clock.go_on(1.9)
        assert await asking.ask_at_once(3) == [None] * 3
        assert len(over_inet.requests) == 1
        clock.go_on(0.2)
        assert await asking.ask_at_once(3) == [None] * 3
        assert len(over_inet.requests) == 2
        over_inet.say(b"DUNNO")
        clock.go_on(2.1)
        assert await asking.ask_at_once(3) == [b"DUNNO", None, None]
        assert await asking.ask_at_once(3) == [b"DUNNO"] * 3
        assert len(asking.said) == 1
        over_inet.say(CLOSES)
        clock.go_on(60)
        assert await asking.ask() is None
        assert len(asking.said) == 2

    run(asking, whole)


def test_a_port_at_which_nobody_listens_is_said() -> None:
    """As soon as it is known."""
    port = free_port()
    asking = Asking(f"inet:127.0.0.1:{port}")

    assert run(asking, asking.ask) is None
    assert asking.said == [
        f"policy service inet:127.0.0.1:{port}: connection refused; its default action is done, DUNNO"
    ]


def test_a_relative_path_is_one_in_the_queue_directory(tmp_path: Path) -> None:
    """As smtpd has it, which stands there."""
    (tmp_path / "private").mkdir()
    asking = Asking("unix:private/policy", PolicySettings(queue_directory=str(tmp_path)))
    nowhere = Asking("unix:private/other", PolicySettings(queue_directory=str(tmp_path), try_limit=1))

    with policy_server(tmp_path / "private/policy"):
        assert run(asking, asking.ask) == b"DUNNO"
        assert run(nowhere, nowhere.ask) is None
    assert nowhere.said == ["policy service unix:private/other: file does not exist; its default action is done, DUNNO"]


@pytest.mark.parametrize("host", ["localhost", "policy.example", "six.example"])
def test_a_host_may_have_a_name(host: str) -> None:
    """Name servers tell its addresses; localhost has both."""
    with policy_server(ip="::1" if host == "six.example" else "127.0.0.1") as found:
        asking = Asking(f"inet:{host}:{found.port}")
        assert run(asking, asking.ask) == b"DUNNO"


def test_a_name_without_an_address_is_said() -> None:
    """Nobody can be asked there."""
    asking = Asking("inet:nowhere.example:10023")

    assert run(asking, asking.ask) is None
    assert "nowhere.example has no address" in asking.said[0]
