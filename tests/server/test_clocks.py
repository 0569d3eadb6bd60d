"""Hosts that share a server, and whose clocks are an hour apart: the server's counts, so nobody notices."""

import asyncio
import os
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from itertools import cycle, islice
from pathlib import Path

import pytest

from tests.support.faketime import an_hour_ahead
from tests.support.greylist import GREYLIST, REFUSED, answer, comes_in
from tests.support.programs import ours
from tests.support.pypostgrey import NEW, Postgrey
from tests.support.redisserver import RedisServer
from tests.support.server import QUIET, Server
from tests.support.waiting import PATIENCE, until
from ucspi_py.core.client.limits import NETWORK
from ucspi_py.core.greylist.settings import GreylistSettings
from ucspi_py.core.greylist.visit import TENANT, Visit
from ucspi_py.core.smtp.verdict import Refuse
from ucspi_py.system.store.records import keeper

SERVER = ours("pytcpserver")
SETTINGS = GreylistSettings("", 300, 172_800, 3_024_000, NETWORK, 60)


def hosts(folder: Path, options: Sequence[str], chain: Sequence[str], stack: ExitStack) -> tuple[Server, Server]:
    """Two services: one is right, the other an hour ahead."""

    def host(ip: str, env: Mapping[str, str]) -> Server:
        return stack.enter_context(Server(SERVER, (*options, *QUIET), chain, folder, host=ip, env=dict(env)))

    return host("127.0.0.1", os.environ), host("127.0.0.2", an_hour_ahead())


def test_a_clock_is_ahead(tmp_path: Path) -> None:
    """Or these tests would see nothing."""
    env = {**an_hour_ahead()}
    with Server(SERVER, QUIET, ("date", "+%s"), tmp_path, env=env) as server:
        assert int(server.talk()) > time.time() + 3500


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_greylists(order: tuple[int, int], redis: RedisServer, tmp_path: Path) -> None:
    """The delay is neither shorter nor longer, whichever host a client comes to first."""
    with ExitStack() as stack:
        both = hosts(tmp_path, ("-w1",), (GREYLIST, "-s", redis.url, "-d", "60", "echo", "welcome"), stack)
        assert [answer(both[number]) for number in order] == [REFUSED] * 2
        first, passed = redis.ask("GET u1:{127.0.0.0/24}:g").split()
        assert passed == b"-"
        assert abs(int(first) - time.time()) < 60
        redis.ask(f'SET u1:{{127.0.0.0/24}}:g "{int(first) - 60} -"')
        for number in (*order, *order):
            comes_in(both[number], "127.0.0.1")


@pytest.mark.parametrize("is_first_ahead", [False, True])
def test_triplets(redis: RedisServer, *, is_first_ahead: bool) -> None:
    """As of pypostgrey, and of a gate."""
    clocks = [{}, an_hour_ahead()]
    first, second = reversed(clocks) if is_first_ahead else clocks
    with (
        Postgrey("--delay=1", "--processes=1", store=redis.url, variables=first) as one,
        Postgrey("--delay=1", "--processes=1", store=redis.url, variables=second) as other,
    ):
        assert one.ask() == NEW
        until(lambda: other.ask(instance="2").startswith(b"PREPEND X-Greylist: delayed "), "the delay at the other")
        waited = other.log().rpartition(b"delay=")[2]
        assert 1 <= int(waited.partition(b",")[0]) < 60
        assert one.ask(instance="3") == b"DUNNO"


def test_arrivals(redis: RedisServer, tmp_path: Path) -> None:
    """Exactly so many of a burst are let in; where the store was too slow for a busy machine it is tried again."""
    for _ in range(5):
        redis.empty()
        with ExitStack() as stack:
            both = hosts(tmp_path, ("--rate", "5/3600", "--fleet", redis.url), ("cat",), stack)
            told = [server.talk(b"x", "127.0.0.9") for server in islice(cycle(both), 9)]
            if not any(b"hold alone" in server.log() for server in both):
                assert [answered == b"x" for answered in told] == 5 * [True] + 4 * [False]
                return
    raise AssertionError("the store was too slow five times")


@pytest.mark.parametrize("may_ask", [True, False])
def test_who_may_not_ask_a_server_for_its_time_has_the_host_s(redis: RedisServer, *, may_ask: bool) -> None:
    """As by the ACL of an older release."""
    redis.ask(f"ACL SETUSER mail reset on >s3cret ~u1:* ~greylist:* +get +set +eval +evalsha {'+time' * may_ask}")
    url = redis.url.replace("//", "//mail:s3cret@")
    ahead = int(time.time()) + 3600

    async def visit() -> None:
        store = keeper(url, by_its_clock=True)(url, (TENANT,))
        assert isinstance(await store.update("192.0.2.0/24", Visit(ahead, SETTINGS)), Refuse)
        await store.close()

    asyncio.run(visit())

    first = int(redis.ask("GET u1:{192.0.2.0/24}:g").split()[0])
    assert (first == ahead) is not may_ask
    assert may_ask is (abs(first - time.time()) < PATIENCE)
