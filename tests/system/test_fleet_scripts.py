"""The scripts of a fleet in a real server: what is counted, until when, and by whose clock."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest

from tests.support.redisserver import RedisServer, cluster
from tests.support.waiting import until
from ucspi_py.core.client.limits import NETWORK, ClientLimits, Excess
from ucspi_py.core.errors import Failure
from ucspi_py.core.fleet import asking, scripts, tries
from ucspi_py.core.fleet.names import login_names, names
from ucspi_py.system.fleet import fleet
from ucspi_py.system.store.server.redis_server import RedisServer as Way

IP = b"192.0.2.7"
NAMES = names(IP, NETWORK)


class Store:
    """A way to the server on a loop of its own."""

    def __init__(self, way: Way, run: Callable[[Awaitable[object]], object]) -> None:
        self._way = way
        self._run = run
        self._number = 0

    def enter(
        self, limits: ClientLimits, ip: bytes = IP, member: str | None = None, life: int = 60_000
    ) -> Excess | None:
        """Have a client come -> the limit that it is over."""
        self._number += 1
        asked = asking.question(limits, ip, member or f"mx1:{self._number}", life)
        assert asked
        return asking.excess(limits, self.run(scripts.ENTER, asked.keys, asked.arguments))

    def run(self, script: str, keys: tuple[str, ...], arguments: tuple[str, ...]) -> object:
        """Run a script."""
        return self._run(self._way.run(script, keys, arguments))


@pytest.fixture
def store(redis: RedisServer) -> Iterator[Store]:
    """What has just been emptied."""
    with asyncio.Runner() as runner:
        way = Way(redis.url)
        yield Store(way, lambda asked: runner.run(_awaited(asked)))
        runner.run(way.close())


async def _awaited(asked: Awaitable[object]) -> object:
    return await asked


def reason(excess: Excess | None) -> bytes | None:
    """Why somebody is turned away."""
    return excess and excess.reason


def test_connections_of_a_client_and_of_its_network(store: Store) -> None:
    """As many as are allowed, whoever has let them in; one that leaves makes room for one."""
    limits = ClientLimits(per_client=2, per_network=3)

    assert [reason(store.enter(limits, member=f"mx{n}:1")) for n in range(3)] == [
        *(None, None),
        b"2/2 connections of the client on all hosts",
    ]
    assert store.enter(limits, b"192.0.2.8") is None
    assert reason(store.enter(limits, b"192.0.2.9")) == b"3/3 connections of the network on all hosts"
    assert store.enter(limits, b"192.0.3.9") is None

    store.run(scripts.LEAVE, NAMES[1:], ("mx0:1",))
    assert store.enter(limits) is None
    assert reason(store.enter(limits, b"192.0.2.9")) == b"3/3 connections of the network on all hosts"


def test_arrivals_within_a_period(store: Store) -> None:
    """Exactly so many at once, however often it is tried; who was turned away does not count."""
    limits = ClientLimits(arrivals=100, period=3600)

    assert {store.enter(limits) for _ in range(100)} == {None}
    assert {reason(store.enter(limits)) for _ in range(9)} == {
        b"101/100 connections of the client in 3600 seconds on all hosts"
    }
    assert store.enter(limits, b"192.0.2.8") is None


@pytest.mark.parametrize(("arrivals", "period"), [(7, 60), (1, 1), (3, 10), (1000, 7), (4294967295, 1)])
def test_any_burst_is_let_in_whole(arrivals: int, period: int, store: Store) -> None:
    """No number of arrivals is lost by dividing."""
    limits = ClientLimits(arrivals=arrivals, period=max(period, 1000))
    tried = min(arrivals, 300)

    assert {store.enter(limits) for _ in range(tried)} == {None}
    assert (store.enter(limits) is None) == (arrivals > tried)


def test_arrivals_come_back_one_by_one(store: Store) -> None:
    """After a burst of two, another in its half of the period."""
    limits = ClientLimits(arrivals=20, period=1)

    for _ in range(20):
        store.enter(limits)
    until(lambda: store.enter(limits) is None, "a twentieth of a second")


def test_what_nobody_renews_is_gone(redis: RedisServer, store: Store) -> None:
    """As where a host was killed; also its keys, so that nothing is left of it."""
    limits = ClientLimits(per_client=1, per_network=1)

    assert store.enter(limits, life=60) is None
    until(lambda: store.enter(limits, life=60) is None, "the lease to be over")
    until(lambda: redis.ask("DBSIZE") == b":0", "the keys to be gone")


def test_what_is_renewed_stays(store: Store) -> None:
    """Also what the store had lost meanwhile, as behind a failover."""
    limits = ClientLimits(per_client=1)

    store.run(scripts.RENEW, (NAMES.client,), ("60000", "mx2:9"))

    assert reason(store.enter(limits)) == b"1/1 connections of the client on all hosts"


def test_a_clock_that_was_an_hour_ahead_keeps_nobody_out(redis: RedisServer, store: Store) -> None:
    """As where another server follows: arrivals and connections that lie too far ahead do not count."""
    ahead = int(time.time()) + 3600
    redis.ask(f"SET {NAMES.arrivals} {ahead}000000")
    redis.ask(f"ZADD {NAMES.client} {ahead}000 mx9:1")

    redis.ask(f"SET u1:{{x}}:f {ahead}000000")

    assert store.enter(ClientLimits(per_client=1, arrivals=5)) is None
    assert store.run(scripts.TRY, ("u1:{x}:f",), ("3", "60000000")) == [0, 1]


@pytest.mark.parametrize("written", ["garbage", "nan", "-nan", "inf", "-1", "9" * 30])
def test_what_is_no_number_of_arrivals(written: str, redis: RedisServer, store: Store) -> None:
    """It is none, and the next one counts: nor of wrong passwords."""
    redis.ask(f"SET {NAMES.arrivals} {written}")
    redis.ask(f"SET u1:{{x}}:f {written}")

    assert store.enter(ClientLimits(arrivals=1)) is None
    assert store.enter(ClientLimits(arrivals=1))
    assert [store.run(scripts.TRY, ("u1:{x}:f",), ("1", "60000000")) for _ in range(2)] == [[0, 1], [0, 0]]


def test_a_server_that_knows_no_script(redis: RedisServer, store: Store) -> None:
    """It is told the text, once."""
    store.enter(ClientLimits(per_client=1))
    redis.ask("SCRIPT FLUSH")

    assert reason(store.enter(ClientLimits(per_client=1))) == b"1/1 connections of the client on all hosts"


async def _try_and_take_back(way: Way, ip: bytes) -> None:
    """Run all that there is about passwords."""
    of_login = login_names(ip, b"joe")
    assert of_login
    for question in (tries.of_client(of_login, is_known=False), tries.of_user(of_login)):
        assert await way.run(scripts.TRY, *question) == [0, 1]
    for question in tries.was_right(tries.Trial(of_login, is_known=False)):
        assert await way.run(scripts.TAKE_BACK, *question) == 1
    assert await way.run(scripts.TRY, *tries.of_client(of_login, is_known=False)) == [1, 1]


def test_tries_are_counted_as_arrivals_are(redis: RedisServer, store: Store) -> None:
    """So many at once, and then one in each part of the period; what was taken back is free at once."""
    few = (("u1:{x}:f",), ("3", "50000"))

    assert [0, 0] in [store.run(scripts.TRY, *few) for _ in range(100)]
    until(lambda: store.run(scripts.TRY, *few) == [0, 1], "a third of the period")
    until(lambda: redis.ask("EXISTS u1:{x}:f") == b":0", "nothing of it to be left")

    many, one_more = (("u1:{x}:f",), ("3", "60000000")), (("u1:{x}:f",), ("60000000",))
    assert [store.run(scripts.TRY, *many) for _ in range(4)] == [[0, 1]] * 3 + [[0, 0]]
    store.run(scripts.TAKE_BACK, *one_more)
    assert [store.run(scripts.TRY, *many) for _ in range(2)] == [[0, 1], [0, 0]]


def test_what_is_taken_back_too_late_makes_no_room(store: Store) -> None:
    """Nothing is kept of it, and less than nothing does not count."""
    many, one_more = (("u1:{x}:f",), ("3", "60000000")), (("u1:{x}:f",), ("60000000",))

    store.run(scripts.TAKE_BACK, *one_more)
    store.run(scripts.TRY, *many)
    for _ in range(5):
        store.run(scripts.TAKE_BACK, *one_more)
    assert [store.run(scripts.TRY, *many) for _ in range(4)] == [[0, 1]] * 3 + [[0, 0]]


def test_a_cluster_takes_each_script(tmp_path: Path) -> None:
    """All its keys are in one slot, and it touches no other; a script with keys in two is refused there."""
    limits = ClientLimits(per_client=2, per_network=2, arrivals=5)
    with cluster(tmp_path) as redis:

        async def all_of_it() -> None:
            way = Way(redis.url)
            for ip in (IP, b"2001:db8::7"):
                asked = asking.question(limits, ip, "mx1:1")
                assert asked
                assert asking.excess(limits, await way.run(scripts.ENTER, asked.keys, asked.arguments)) is None
                assert await way.run(scripts.RENEW, asked.leases, ("60000", "mx1:1")) == 1
                assert await way.run(scripts.LEAVE, asked.leases, ("mx1:1",)) == 1
                await _try_and_take_back(way, ip)
            with pytest.raises(Exception, match="slot"):
                await way.run(scripts.LEAVE, ("u1:{a}:n", "u1:{b}:n"), ("mx1:1",))
            await way.close()

        asyncio.run(all_of_it())


def test_the_rights_that_the_manual_gives_are_enough(redis: RedisServer) -> None:
    """For everything that a fleet runs; nothing else is."""
    limits = ClientLimits(per_client=1, per_network=1, arrivals=1)
    rights = "~u1:* +evalsha +eval +time +get +set +zadd +zrem +zcard +zremrangebyscore +pexpire"
    redis.ask(f"ACL SETUSER fleet on >s3cret {rights}")
    way = Way(redis.url.replace("//", "//fleet:s3cret@"))

    async def all_of_it() -> None:
        asked = asking.question(limits, IP, "mx1:1")
        assert asked
        for script, keys, arguments in (
            (scripts.ENTER, asked.keys, asked.arguments),
            (scripts.RENEW, asked.leases, ("60000", "mx1:1")),
            (scripts.LEAVE, asked.leases, ("mx1:1",)),
        ):
            await way.run(script, keys, arguments)
        await _try_and_take_back(way, IP)
        with pytest.raises(Exception, match="permission"):
            await way.run(scripts.LEAVE, ("other",), ("x",))
        await way.close()

    asyncio.run(all_of_it())


@pytest.mark.parametrize("missing", ["time", "get", "set", "zadd", "zrem", "zcard", "zremrangebyscore", "pexpire"])
def test_a_look_at_the_store_finds_a_right_that_is_missing(missing: str, redis: RedisServer) -> None:
    """Before a client comes, and nothing of it stays there."""
    rights = "~u1:* +evalsha +eval +time +get +set +zadd +zrem +zcard +zremrangebyscore +pexpire"
    url = redis.url.replace("//", "//fleet:s3cret@")
    redis.ask(f"ACL SETUSER fleet reset on >s3cret {rights}")
    asyncio.run(fleet.look(url))
    until(lambda: redis.ask("DBSIZE") == b":0", "the keys to be gone")

    redis.ask(f"ACL SETUSER fleet -{missing}")
    with pytest.raises(Failure, match="can't run"):
        asyncio.run(fleet.look(url))
