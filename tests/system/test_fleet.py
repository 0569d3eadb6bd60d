"""A host of a fleet and its store: what is counted, what happens where it fails, and who is forgotten."""

import asyncio
import gc
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest

from tests.support.failing import (
    Mend,
    allows_less,
    hangs,
    has_another_password,
    is_demoted,
    is_full,
    is_gone,
    with_user,
)
from tests.support.fleets import Host, Slow, hosts
from tests.support.redisserver import RedisServer
from tests.support.waiting import PATIENCE, until
from ucspi_py.core.client.limits import ClientLimits
from ucspi_py.core.metrics.asked import Went
from ucspi_py.core.store import breaker

ONE, TWO = ClientLimits(per_client=1), ClientLimits(per_client=2)
KEY = "u1:{192.0.2.0/24}:c:192.0.2.7"
#: Seconds far below those after which the library itself loses its patience; bench/rows has the true figure.
_SOON = 0.9
#: Milliseconds of a life that is over soon, and yet longer than a busy machine sleeps.
_SHORT = 1500


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[RedisServer]:
    """A server that a test may harm."""
    with RedisServer(tmp_path) as redis:
        yield redis


@pytest.fixture(autouse=True)
def _short_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    """A store that has failed is tried again sooner than in truth."""
    monkeypatch.setattr(breaker, "_REST", 0.2)


async def becomes(condition: Callable[[], Awaitable[bool]]) -> None:
    """Wait until that is so."""
    async with asyncio.timeout(PATIENCE):
        while not await condition():
            await asyncio.sleep(0.005)


@pytest.mark.usefixtures("patient")
def test_clients_count_for_all_hosts_until_they_leave(redis: RedisServer) -> None:
    """A client of one keeps another of the other away."""

    async def come_and_go() -> None:
        async with hosts(redis.url, 2) as (one, other):
            assert await one.enter(ONE)
            assert not await other.enter(ONE)
            one.fleet.left(1)
            await becomes(lambda: other.enter(ONE))
            other.fleet.left(1)  # it was never in
            assert not await one.enter(ONE)

    asyncio.run(come_and_go())


@pytest.mark.usefixtures("patient")
def test_a_host_whose_clock_is_an_hour_ahead_is_no_other(redis: RedisServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """All times are the server's."""
    limits = ClientLimits(arrivals=2, period=3600)

    async def come() -> None:
        async with hosts(redis.url, 2) as (one, other):
            assert await one.enter(limits)
            now = time.time
            monkeypatch.setattr(time, "time", lambda: now() + 3600)
            assert await other.enter(limits)
            assert not await other.enter(limits)
            monkeypatch.setattr(time, "time", now)
            assert not await one.enter(limits)

    asyncio.run(come())


@pytest.mark.parametrize("fails", [is_gone, hangs, is_demoted, has_another_password, allows_less])
def test_a_store_that_fails_leaves_the_host_s_own_limits(
    fails: Callable[[RedisServer], Mend], redis: RedisServer
) -> None:
    """Everybody is in, nobody waits for long, and most are not asked about; once it is well, it counts again."""

    async def go_through() -> Host:
        async with hosts(with_user(redis), 2) as (one, other):
            assert await other.enter(ONE)
            await becomes(lambda: _not(one.enter(ONE)))
            mend = await asyncio.to_thread(fails, redis)
            assert await one.enter(ONE)
            assert [await one.enter(ONE) for _ in range(5)] == [True] * 5
            assert one.went[Went.SKIPPED] >= 1
            await becomes(lambda: _is(one.went[Went.FAILED] >= 2, one.enter(ONE)))
            await asyncio.to_thread(mend)
            await becomes(lambda: _not(one.enter(ONE)))
        return one

    host = asyncio.run(go_through())

    assert host.slowest < _SOON
    (line,) = host.log.lines
    assert line.startswith(b"tcpserver: warning: fleet: unable to use %s: " % redis.url.encode())
    assert line.endswith(b", the limits of this host hold alone\n")


async def _is(condition: bool, deed: Awaitable[bool]) -> bool:
    await deed
    return condition


async def _not(answer: Awaitable[bool]) -> bool:
    return not await answer


def test_a_store_that_is_full(redis: RedisServer) -> None:
    """Arrivals that cannot be written down are in; connections count on, as room is made for them first."""
    once = ClientLimits(arrivals=1, period=3600)

    async def go_through() -> Host:
        async with hosts(redis.url) as (host,):
            assert await host.enter(ONE)
            mend = await asyncio.to_thread(is_full, redis)
            assert not await host.enter(ONE)
            assert [await host.enter(once) for _ in range(5)] == [True] * 5
            assert host.went[Went.FAILED] and host.went[Went.SKIPPED]
            await asyncio.to_thread(mend)
            await becomes(lambda: _not(host.enter(once)))
        return host

    assert asyncio.run(go_through()).slowest < _SOON


def test_a_store_that_is_slow(redis: RedisServer) -> None:
    """Half a second late is too late, and no answer of one question is taken for another one's."""

    async def go_through() -> Host:
        slow = Slow(redis.ip, redis.port)
        async with slow.listening() as url, hosts(url) as (host,):
            assert await host.enter(TWO)
            slow.delay = 0.5
            assert await host.enter(TWO)
            assert await host.enter(TWO)
            assert host.went[Went.FAILED] and host.went[Went.SKIPPED]
            slow.delay = 0.0
            await becomes(lambda: _not(host.enter(TWO)))
            assert await host.enter(ONE, b"192.0.2.8")
        return host

    assert asyncio.run(go_through()).slowest < _SOON


def test_one_client_alone_waits_for_a_store_that_has_failed(redis: RedisServer) -> None:
    """Of a hundred that come at once behind its failure."""

    async def go_through() -> Host:
        async with hosts(redis.url) as (host,):
            assert await host.enter(TWO)
            redis.stop()
            assert await host.enter(TWO)
            await becomes(lambda: _one_of_a_hundred_waits(host))
            redis.go_on()
        return host

    asyncio.run(go_through())


async def _one_of_a_hundred_waits(host: Host) -> bool:
    """Whether one did; none does while the store is left alone."""
    before = host.went.copy()
    assert await asyncio.gather(*(host.enter(TWO) for _ in range(100))) == [True] * 100
    went = host.went - before
    assert went in ({Went.FAILED: 1, Went.SKIPPED: 99}, {Went.SKIPPED: 100})
    return Went.FAILED in went


def test_nothing_is_said_of_those_who_wait_for_a_connection_when_they_give_up(redis: RedisServer) -> None:
    """Python warns of what is begun and never awaited, and its warnings stand in the log of the service."""

    async def go_through() -> None:
        async with hosts(redis.url) as (host,):
            assert await host.enter(TWO)
            redis.stop()
            assert all(await asyncio.gather(*(host.enter(TWO) for _ in range(50))))
            redis.go_on()

    asyncio.run(go_through())
    gc.collect()


@pytest.mark.usefixtures("patient")
def test_a_store_that_was_started_anew_knows_no_script(redis: RedisServer) -> None:
    """It is told them, and those who are here count again soon."""

    async def go_through() -> None:
        async with hosts(redis.url, 2, _SHORT) as (one, other):
            assert await one.enter(ONE)
            redis.kill()
            await asyncio.to_thread(redis.start)
            await becomes(lambda: _not(other.enter(ONE)))

    asyncio.run(go_through())


@pytest.mark.usefixtures("patient")
def test_who_came_while_it_was_away_counts_later(redis: RedisServer) -> None:
    """At the next renewal."""

    async def go_through() -> None:
        async with hosts(redis.url, life=_SHORT) as (host,):
            redis.kill()
            assert [await host.enter(TWO) for _ in range(2)] == [True, True]
            await asyncio.to_thread(redis.start)
            await becomes(lambda: asyncio.to_thread(lambda: redis.ask(f"ZCARD {KEY}") == b":2"))
            assert not await host.enter(TWO)

    asyncio.run(go_through())


@pytest.mark.usefixtures("patient")
def test_who_left_while_it_was_away_counts_no_more(redis: RedisServer) -> None:
    """It is told of them later, long before their time there is over."""

    async def go_through() -> None:
        async with hosts(redis.url) as (host,):
            assert [await host.enter(TWO) for _ in range(2)] == [True, True]
            mend = await asyncio.to_thread(is_demoted, redis)
            host.fleet.left(1)
            await becomes(lambda: _is(bool(host.log.lines), asyncio.sleep(0, True)))
            host.fleet.left(2)
            await asyncio.to_thread(mend)
            await becomes(lambda: asyncio.to_thread(lambda: redis.ask(f"ZCARD {KEY}") == b":0"))

    asyncio.run(go_through())


@pytest.mark.usefixtures("patient")
def test_who_stays_is_renewed(redis: RedisServer) -> None:
    """For longer than a connection counts without it."""

    async def go_through() -> None:
        async with hosts(redis.url, 2, _SHORT) as (one, other):
            assert await one.enter(ONE)
            first = _end(redis)
            await becomes(lambda: asyncio.to_thread(lambda: _end(redis) > first + _SHORT))
            assert not await other.enter(ONE)

    asyncio.run(go_through())


def _end(redis: RedisServer) -> int:
    """When nothing of the connections that count would count any more, in milliseconds since 1970."""
    return int(redis.ask(f"PEXPIRETIME {KEY}")[1:])


#: Lets one client in, says so, and goes on renewing.
HOST = """
import asyncio, sys
from tests.support.fleets import hosts
from ucspi_py.core.client.limits import ClientLimits
from ucspi_py.system.store import attempts

attempts._FOR_A_SERVER = 30.0

async def stay():
    async with hosts(sys.argv[1], life=int(sys.argv[2])) as (host,):
        print(await host.enter(ClientLimits(per_client=1)), flush=True)
        await asyncio.sleep(1000)

asyncio.run(stay())
"""


async def _come_behind(killed: "subprocess.Popen[bytes]", url: str) -> None:
    async with hosts(url, life=_SHORT) as (host,):
        assert not await host.enter(ONE)
        killed.send_signal(signal.SIGKILL)
        await becomes(lambda: host.enter(ONE))


@pytest.mark.usefixtures("patient")
def test_clients_of_a_host_that_was_killed_are_forgotten(redis: RedisServer) -> None:
    """Not before, and soon after: also by a host that knows nothing of it."""
    with subprocess.Popen([sys.executable, "-c", HOST, redis.url, str(_SHORT)], stdout=subprocess.PIPE) as killed:
        try:
            assert killed.stdout
            assert killed.stdout.readline() == b"True\n"
            asyncio.run(_come_behind(killed, redis.url))
        finally:
            killed.kill()
    until(lambda: redis.ask(f"ZCARD {KEY}") == b":0", "the last one to be forgotten, too")
