"""Records in a cluster: whatever is asked of one at once is in one slot of it. test_fleet_scripts has a fleet's."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.redisserver import RedisServer, cluster
from tests.support.waiting import until
from ucspi_py.core.client.limits import NETWORK
from ucspi_py.core.greylist.attempt import Attempt, Deferred, Passed
from ucspi_py.core.greylist.settings import GreylistSettings
from ucspi_py.core.greylist.triplet.changes import CLIENTS, TRIPLETS
from ucspi_py.core.greylist.triplet.settings import TripletSettings
from ucspi_py.core.greylist.visit import TENANT, Visit
from ucspi_py.core.ledger.address import address
from ucspi_py.core.ledger.grant import How
from ucspi_py.core.ledger.settings import LedgerSettings
from ucspi_py.core.smtp.verdict import Accept, Refuse
from ucspi_py.system.greylist.greylister import Greylister
from ucspi_py.system.ledger.ledger import Granted, Ledger, Login
from ucspi_py.system.ledger.reader import LedgerReader
from ucspi_py.system.store.redis import RedisStore

pytestmark = pytest.mark.usefixtures("patient", "own_time")

NOW = 1_800_000_000
SETTINGS = GreylistSettings("", 300, 1_000, 10_000, NETWORK, 60)
NETWORKS = ("192.0.2.0/24", "198.51.100.0/24", "2001:db8::/64")


@pytest.fixture(scope="module")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """A cluster."""
    with cluster(tmp_path_factory.mktemp("cluster")) as redis:
        yield redis


def test_networks(redis: RedisServer) -> None:
    """Though the key of an older release would be in another slot."""

    async def visits() -> None:
        store = RedisStore(redis.url, (TENANT,))
        for network in NETWORKS:
            assert isinstance(await store.update(network, Visit(NOW, SETTINGS)), Refuse)
            assert await store.update(network, Visit(NOW + 300, SETTINGS)) == Accept()
        assert len(await store.find(TENANT, NETWORKS)) == 3
        assert await store.forget(TENANT, (*NETWORKS, "203.0.113.0/24")) == 3
        await store.close()

    asyncio.run(visits())


def test_the_key_of_an_older_release_at_another_server(redis: RedisServer, tmp_path: Path) -> None:
    """A server that has not all slots is not asked about one that it has not: there is none."""
    with RedisServer(tmp_path, "--cluster-enabled", "yes") as some:
        slot = int(redis.ask("CLUSTER KEYSLOT greylist:192.0.2.0/24")[1:])
        for first, last in ((0, slot - 1), (slot + 1, 16383)):
            assert some.ask(f"CLUSTER ADDSLOTSRANGE {first} {last}") == b"+OK"
        assert some.ask("CONFIG SET cluster-require-full-coverage no") == b"+OK"
        until(lambda: b"cluster_state:ok" in some.text("CLUSTER INFO"), "the cluster to be well")

        async def visit() -> None:
            store = RedisStore(some.url, (TENANT,))
            assert isinstance(await store.update("192.0.2.0/24", Visit(NOW, SETTINGS)), Refuse)
            await store.close()

        asyncio.run(visit())


def test_triplets(redis: RedisServer) -> None:
    """Each of their changes has one key."""
    now = NOW
    attempt = Attempt(b"192.0.2.7", b"mx1.example.com", b"mx.example.com", b"s@example.com", b"r@example.org")

    async def visits() -> None:
        nonlocal now
        greylister = Greylister(TripletSettings(redis.url), pytest.fail, lambda: now)
        assert await greylister.judge(attempt) == Deferred(300, True)
        now += 300
        assert await greylister.judge(attempt) == Passed(b"triplet found", 300)
        await greylister.close()
        store = RedisStore(redis.url, (TRIPLETS, CLIENTS))
        assert [len((await store.page(tenant, None))[0]) for tenant in (TRIPLETS, CLIENTS)] == [1, 1]
        await store.close()

    asyncio.run(visits())


@pytest.mark.parametrize("ip", [b"192.0.2.7", b"2001:db8::7"])
def test_grants(ip: bytes, redis: RedisServer) -> None:
    """All keys under which a client may have one are asked for at once."""

    async def work() -> None:
        ledger, reader = Ledger(LedgerSettings(redis.url), 10.0), LedgerReader(redis.url, pytest.fail)
        granted = await ledger.grant(Login(address(ip), How.POP3, b"joe", b"tests"), 900)
        assert isinstance(granted, Granted)
        assert [grant.user for grant in await reader.grants(ip)] == [b"joe"]
        assert await ledger.revoke(granted.key) == 1
        assert await reader.grants(ip) == ()
        await ledger.close()
        await reader.close()

    asyncio.run(work())
