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
from ucspi_py.core.store import breaker
from ucspi_py.system.store.records import Records

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
    """By records and by a fleet, though the old one only hangs, and comes back as a replica; its writes are there."""
    replicated.sentinels[0].go_on()

    async def go_through() -> None:
        told: list[str] = []
        records = Records(replicated.url, (Count.tenant,), told.append)
        async with hosts(replicated.url, 2, 6000) as (one, other):
            assert await records.update("key", Count(1)) == 1
            assert await one.enter(LIMITS)
            async with asyncio.timeout(PATIENCE):
                while await other.enter(LIMITS):
                    await asyncio.sleep(0.01)
            await asyncio.to_thread(replicated.wait_for_replica)
            replicated.primary.stop()
            assert await other.enter(LIMITS, b"192.0.2.9")
            await asyncio.to_thread(replicated.wait_for_failover)
            async with asyncio.timeout(PATIENCE):
                while await records.update("key", Count(1)) != 2:
                    await asyncio.sleep(0.01)
                while await other.enter(LIMITS):
                    await asyncio.sleep(0.01)
            assert max(one.slowest, other.slowest) < 0.9
        await records.close()

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
