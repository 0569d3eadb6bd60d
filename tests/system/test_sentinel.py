"""A store that another server takes over, as Debian's real Sentinels arrange it."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.counts import Count
from tests.support.fleets import hosts
from tests.support.sentinel import Replicated
from tests.support.waiting import PATIENCE
from ucspi_py.core.client.limits import ClientLimits
from ucspi_py.core.fleet.scripts import LEAVE
from ucspi_py.core.ledger.address import address
from ucspi_py.core.ledger.grant import How
from ucspi_py.core.ledger.settings import LedgerSettings
from ucspi_py.core.store import breaker
from ucspi_py.system.ledger.ledger import Ledger, Login
from ucspi_py.system.ledger.reader import LedgerReader
from ucspi_py.system.store.records import Records
from ucspi_py.system.store.server import redis_sentinels
from ucspi_py.system.store.server.redis_server import RedisServer

LIMITS = ClientLimits(per_client=1)


@pytest.fixture
def replicated(tmp_path: Path) -> Iterator[Replicated]:
    """Two servers and three Sentinels, the first of which does not answer."""
    with Replicated(tmp_path) as replicated:
        replicated.sentinels[0].stop()
        yield replicated
        replicated.sentinels[0].go_on()


@pytest.fixture(autouse=True)
def _short_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(breaker, "_REST", 0.1)


def test_the_server_that_takes_over_is_found(replicated: Replicated) -> None:
    """By records, grants and a fleet, though the old one only hangs, and is a replica then; its writes are there."""
    replicated.sentinels[0].go_on()

    async def go_through() -> None:
        told: list[str] = []
        records = Records(replicated.url, (Count.tenant,), told.append)
        ledger, grants = Ledger(LedgerSettings(replicated.url), PATIENCE), LedgerReader(replicated.url, told.append)
        await ledger.grant(Login(address(b"203.0.113.7"), How.POP3, b"joe", b"tests"), 900)
        async with hosts(replicated.url, 2, 6000) as (one, other):
            assert await records.update("key", Count(1)) == 1
            assert await one.enter(LIMITS)
            async with asyncio.timeout(PATIENCE):
                while await other.enter(LIMITS):
                    await asyncio.sleep(0.01)
            await asyncio.to_thread(replicated.wait_for_replica)
            replicated.primary.stop()
            assert await other.enter(LIMITS, b"192.0.2.9")
            assert await grants.grants(b"203.0.113.7") == ()
            await asyncio.to_thread(replicated.wait_for_failover)
            async with asyncio.timeout(PATIENCE):
                while await records.update("key", Count(1)) != 2:
                    await asyncio.sleep(0.01)
                while not await grants.grants(b"203.0.113.7"):
                    await asyncio.sleep(0.01)
                while await other.enter(LIMITS):
                    await asyncio.sleep(0.01)
            assert max(one.slowest, other.slowest) < 0.9
        await asyncio.gather(records.close(), ledger.close(), grants.close())

    try:
        asyncio.run(go_through())
    finally:
        replicated.primary.go_on()


def test_a_server_that_was_demoted_is_left(replicated: Replicated) -> None:
    """It answers still, and takes no writes: the Sentinels are asked again, of whom one hangs."""

    async def go_through() -> None:
        async with hosts(replicated.url, 1) as (host,):
            assert await host.enter(LIMITS)
            await asyncio.to_thread(replicated.wait_for_replica)
            assert replicated.sentinels[1].ask("SENTINEL FAILOVER mx") == b"+OK"
            await asyncio.to_thread(replicated.wait_for_failover)
            async with asyncio.timeout(PATIENCE):
                while await host.enter(LIMITS):
                    await asyncio.sleep(0.01)
            assert host.slowest < 0.9

    asyncio.run(go_through())


def test_where_no_sentinel_answers(replicated: Replicated) -> None:
    """Each client is let in in time, and the log says why."""
    for one in replicated.sentinels[1:]:
        one.kill()

    async def go_through() -> None:
        async with hosts(replicated.url) as (host,):
            assert await host.enter(LIMITS)
            assert await host.enter(LIMITS)
            assert host.slowest < 0.9
        assert b"the limits of this host hold alone" in host.log.lines[0]

    asyncio.run(go_through())


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Replicated]:
    """One for tests that leave it as it was."""
    with Replicated(tmp_path_factory.mktemp("sentinels")) as shared:
        yield shared


@pytest.mark.parametrize("kind", ["primary", "sentinels"])
def test_a_limit_of_connections_is_waited_for(shared: Replicated, kind: str) -> None:
    """Of many clients at once nobody is told that there are too many, nor when to give up."""
    url = shared.url if kind == "sentinels" else shared.primary.url

    async def go_through() -> None:
        way = RedisServer(f"{url}?max_connections=1&timeout=0.001")
        try:
            told = await asyncio.gather(*(way.run(LEAVE, ("u1:{a}:n",), ("-",)) for _ in range(20)))
        finally:
            await way.close()
        assert told == 20 * [1]

    asyncio.run(go_through())


#: What a server says that is no Sentinel, or a broken one: nothing, a number, half of what is asked.
NO_SENTINELS = (b"+OK\r\n", b":5\r\n", b"*1\r\n*-1\r\n", b"*1\r\n*1\r\n$4\r\nname\r\n", b"$abc\r\n", 5000 * b"*1\r\n")


def test_a_sentinel_that_is_none_keeps_nobody_from_the_others(
    shared: Replicated, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever it says, and though it is the first to answer."""
    monkeypatch.setattr(redis_sentinels, "_PATIENCE", PATIENCE)
    to_say = list(NO_SENTINELS)
    for one in shared.sentinels[1:]:
        one.stop()

    async def lie(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(65536)
        writer.write(to_say.pop())
        if not to_say:
            shared.sentinels[1].go_on()
        await reader.read()
        writer.close()

    async def go_through() -> None:
        async with await asyncio.start_server(lie, "127.0.0.1", 0) as liar:
            places = len(NO_SENTINELS) * f"127.0.0.1:{liar.sockets[0].getsockname()[1]},"
            way = RedisServer(shared.url.replace("//", f"//{places}"))
            try:
                assert await way.run(LEAVE, ("u1:{a}:n",), ("-",)) == 1
            finally:
                await way.close()

    try:
        asyncio.run(go_through())
    finally:
        for one in shared.sentinels[1:]:
            one.go_on()
