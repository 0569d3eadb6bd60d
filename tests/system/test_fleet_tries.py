"""Wrong passwords at the hosts of a fleet: together no more than at one, and nobody is locked out where it is known."""

import asyncio
import time
from collections.abc import Callable
from itertools import cycle, islice
from pathlib import Path

import pytest

from tests.support.fleets import Host, Slow, hosts
from tests.support.redisserver import RedisServer
from ucspi_py.core.auth.answer import Verdict
from ucspi_py.core.auth.tries import OF_NETWORK, OF_PAIR, OF_USER, REMEMBERED
from ucspi_py.core.fleet.names import login_names
from ucspi_py.core.metrics.asked import Went
from ucspi_py.system.gate.logins.trials import Trials
from ucspi_py.system.gate.logins.tries_table import LoginTries

JOE = b"joe@example.org"
HOME, AWAY = b"192.0.2.7", b"198.51.100.7"
USER, NETWORK, PAIR = (
    f"too many failures {of} on all hosts"
    for of in ("of this user", "from its network", "of this user from its network")
)
#: Seconds far below those after which the library itself loses its patience.
_SOON = 0.9
#: Of the keys by which a store is tried: they may be there for a millisecond more.
NOBODY = "{0.0.0.0/"


class Door:
    """The logins of one host: what becomes of tries there. host: None = it is in no fleet."""

    def __init__(self, host: Host | None) -> None:
        self.trials = Trials(LoginTries(), host.fleet.tries if host else None)

    async def tried(self, verdict: Verdict = Verdict.NO, user: bytes = JOE, ip: bytes = AWAY) -> str | None:
        """Try once -> whose are too many."""
        counted = await self.trials.begin(user, ip)
        if isinstance(counted, str):
            return counted
        await self.trials.end(counted, verdict)
        return None

    async def asked(self, times: int, user: bytes = JOE, ip: bytes = AWAY) -> int:
        """Try a wrong password so many times at once -> of how many somebody is asked."""
        begun = await asyncio.gather(*(self.trials.begin(user, ip) for _ in range(times)))
        return sum(not isinstance(one, str) for one in begun)


def through(url: str, scene: Callable[[Door, Door], object], number: int = 2) -> None:
    """Play a scene at the doors of hosts that share a store."""

    async def play() -> None:
        async with hosts(url, number) as made:
            await scene(*map(Door, made))  # type: ignore[misc]

    asyncio.run(play())


@pytest.mark.usefixtures("patient")
def test_guesses_at_a_user_that_alternate_are_no_more_than_at_one_host(redis: RedisServer) -> None:
    """From wherever they come; another user is asked about."""

    async def guess(*doors: Door) -> None:
        networks = (b"198.51.%d.7" % number for number in range(100))
        said = [await door.tried(ip=ip) for door, ip in zip(islice(cycle(doors), 9), networks, strict=False)]
        assert said == [None] * OF_USER.tries + [USER] * 4
        assert await doors[0].tried(user=b"ann") is None

    through(redis.url, guess)


@pytest.mark.usefixtures("patient")
def test_guesses_of_a_network_that_alternate_are_no_more_than_at_one_host(redis: RedisServer) -> None:
    """Whomever they are at, and what was not tried is not counted: neither of the user, nor of the network."""

    async def guess(*doors: Door) -> None:
        said = [await door.tried(user=b"u%d" % number) for number, door in enumerate(islice(cycle(doors), 13))]
        assert said == [None] * OF_NETWORK.tries + [NETWORK] * 3
        assert [await doors[0].tried(user=b"u12", ip=HOME) for _ in range(6)] == [None] * OF_USER.tries + [USER]
        assert [await door.asked(5, b"ann", HOME) for door in doors] == [OF_USER.tries, 0]

    through(redis.url, guess)


@pytest.mark.usefixtures("patient")
def test_as_many_at_once_as_one_likes_are_no_more(redis: RedisServer) -> None:
    """At three hosts, which is why a try is counted before anybody is asked."""

    async def guess(*doors: Door) -> None:
        assert sum(await asyncio.gather(*(door.asked(20) for door in doors))) == OF_USER.tries

    through(redis.url, guess, 3)


@pytest.mark.usefixtures("patient")
def test_nobody_locks_a_user_out_where_another_host_knows_it(redis: RedisServer) -> None:
    """Attacked at the host to which it comes, until that itself hears nobody else; there it is limited on its own."""

    async def attack(one: Door, other: Door) -> None:
        assert await one.tried(Verdict.YES, ip=HOME) is None
        assert [await other.tried() for _ in range(6)] == [None] * OF_USER.tries + [USER]
        for door in (other, one):
            assert await door.tried(Verdict.YES, ip=HOME) is None
        said = [await door.tried(ip=HOME) for door in islice(cycle((one, other)), 12)]
        assert said == [None] * OF_PAIR.tries + [PAIR] * 2

    through(redis.url, attack)


@pytest.mark.usefixtures("patient")
def test_whom_a_host_knows_its_fleet_knows(redis: RedisServer) -> None:
    """As behind a store that has forgotten all."""

    async def forget(one: Door, other: Door) -> None:
        assert await one.tried(Verdict.YES, ip=HOME) is None
        redis.empty()
        assert await other.asked(OF_USER.tries) == OF_USER.tries
        assert await one.tried(Verdict.YES, ip=HOME) is None
        assert await other.tried(Verdict.YES, ip=HOME) is None

    through(redis.url, forget)


@pytest.mark.usefixtures("patient")
def test_what_a_host_refuses_by_its_own_limit_is_free_at_the_others(redis: RedisServer) -> None:
    """Nobody was asked about it, as where the store has forgotten what that host remembers."""

    async def forget(one: Door, other: Door) -> None:
        assert await one.asked(OF_USER.tries) == OF_USER.tries
        redis.empty()
        assert [await one.tried() for _ in range(3)] == [USER.removesuffix(" on all hosts")] * 3
        assert await other.asked(9) == OF_USER.tries

    through(redis.url, forget)


@pytest.mark.usefixtures("patient")
@pytest.mark.parametrize("verdict", [Verdict.YES, Verdict.LATER])
def test_what_was_no_wrong_password_does_not_count(verdict: Verdict, redis: RedisServer) -> None:
    """However often."""

    async def come(*doors: Door) -> None:
        assert [await door.tried(verdict) for door in islice(cycle(doors), 30)] == [None] * 30

    through(redis.url, come)


@pytest.mark.usefixtures("patient")
def test_a_host_whose_clock_is_an_hour_ahead_is_no_other(redis: RedisServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """All times are the server's."""

    async def guess(one: Door, other: Door) -> None:
        assert await one.asked(OF_USER.tries - 1) == OF_USER.tries - 1
        now = time.time
        monkeypatch.setattr(time, "time", lambda: now() + 3600)
        assert [await other.tried() for _ in range(2)] == [None, USER]
        monkeypatch.setattr(time, "time", now)
        assert await one.tried() == USER

    through(redis.url, guess)


@pytest.mark.usefixtures("patient")
def test_all_that_is_kept_has_an_end(redis: RedisServer) -> None:
    """Within the period of its limit, and what is known within thirty days; no byte of a user is there."""

    async def come(one: Door, _other: Door) -> None:
        await one.tried()
        await one.tried(Verdict.YES, ip=HOME)
        await one.tried(ip=HOME)

    through(redis.url, come)

    kept = redis.ask("EVAL \"return table.concat(redis.call('KEYS', '*'), ' ')\" 0").decode().split()
    names = {name for name in kept if NOBODY not in name}
    of_home, of_away = login_names(HOME, JOE), login_names(AWAY, JOE)
    assert of_home and of_away
    assert names == {*of_home, of_away.network}
    ends = {name: int(redis.ask(f"PTTL {name}")[1:]) for name in names}
    assert 0 < ends.pop(of_home.known) <= 1000 * REMEMBERED
    assert all(0 < end <= 1000 * OF_NETWORK.seconds for end in ends.values())
    assert not [name for name in names if "joe" in name]


def _killed(redis: RedisServer) -> None:
    redis.kill()


def _stopped(redis: RedisServer) -> None:
    redis.stop()


def _full(redis: RedisServer) -> None:
    assert redis.ask("CONFIG SET maxmemory 1") == b"+OK"


@pytest.mark.parametrize("fail", [_killed, _stopped, _full])
def test_without_its_store_each_host_has_its_own_limits(fail: Callable[[RedisServer], None], tmp_path: Path) -> None:
    """Neither open nor closed, and nobody waits for long; the log says so once."""

    async def go_through(redis: RedisServer) -> Host:
        async with hosts(redis.url) as (host,):
            await asyncio.to_thread(fail, redis)
            door, alone = Door(host), Door(None)
            for tries in ((Verdict.YES, JOE, HOME), *[(Verdict.NO, JOE, AWAY)] * 7, (Verdict.YES, JOE, HOME)):
                since = time.monotonic()
                assert await door.tried(*tries) == await alone.tried(*tries)
                assert time.monotonic() - since < _SOON
        return host

    with RedisServer(tmp_path) as redis:
        host = asyncio.run(go_through(redis))

    assert host.went and not host.went[Went.ANSWERED]
    assert len(host.log.lines) == 1
    assert host.log.lines[0].endswith(b", the limits of this host hold alone\n")


def test_a_store_that_is_slow(redis: RedisServer) -> None:
    """The same."""

    async def go_through() -> None:
        slow = Slow(redis.ip, redis.port)
        async with slow.listening() as url, hosts(url) as (host,):
            door = Door(host)
            slow.delay = 0.5
            assert [await door.tried() for _ in range(6)] == [None] * 5 + [USER.removesuffix(" on all hosts")]
            assert host.went and not host.went[Went.ANSWERED]

    asyncio.run(go_through())
