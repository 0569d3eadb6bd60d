"""What clients hear of greylists and ledger while their server fails, and how long they wait for that."""

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from itertools import count
from statistics import median
from typing import Protocol

import pytest

from tests.support.admission import Lines
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
from tests.support.fleets import Slow
from tests.support.redisserver import RedisServer
from tests.support.waiting import PATIENCE
from ucspi_py.core.client.limits import NETWORK
from ucspi_py.core.errors import Failure
from ucspi_py.core.greylist.attempt import Attempt, Passed
from ucspi_py.core.greylist.settings import GreylistSettings
from ucspi_py.core.greylist.triplet.settings import TripletSettings
from ucspi_py.core.greylist.visit import TENANT, Visit
from ucspi_py.core.ledger.address import address
from ucspi_py.core.ledger.grant import How
from ucspi_py.core.ledger.settings import LedgerSettings
from ucspi_py.core.metrics.asked import Went
from ucspi_py.core.smtp.verdict import Accept, Refuse
from ucspi_py.core.store import breaker
from ucspi_py.system.greylist.greylister import Greylister
from ucspi_py.system.ledger.ledger import Granted, Ledger, Login
from ucspi_py.system.ledger.reader import LedgerReader
from ucspi_py.system.screens.greylist import Greylist
from ucspi_py.system.store.redis import RedisStore

#: Seconds far below those that a client has waited before; tests/system/test_attempts.py has the true figure.
_SOON = 0.9
_ROAMING = b"203.0.113.7"

GREYLIST = GreylistSettings("", 300, 172_800, 3_024_000, NETWORK, 60)

Heard = Callable[[Went, float], None]


class Asked(Protocol):
    """Who asks a store about clients."""

    async def begin(self) -> None:
        """Have the store have what it needs."""

    async def hears(self) -> bool:
        """Ask about a stranger, or about who has a grant -> whether the store has decided, and nobody without it."""

    async def close(self) -> None:
        """Give everything back."""


class ByNetwork:
    """As pygreylist does."""

    def __init__(self, url: str, heard: Heard) -> None:
        self._greylist = Greylist(replace(GREYLIST, store=url), Lines(), heard)
        self._ips = (b"198.51.%d.1" % number for number in range(256))
        self.begin, self.close = self._greylist.open, self._greylist.close

    async def hears(self) -> bool:
        """Ask about a stranger, who is let in where the store says nothing."""
        outcome = await self._greylist.judge({b"TCPREMOTEIP": next(self._ips)}, None)
        return outcome.verdict != Accept()


class ByTriplet:
    """As check_greylist and pypostgrey do."""

    def __init__(self, url: str, heard: Heard) -> None:
        self._greylister = Greylister(TripletSettings(url), lambda _why: None, heard=heard)
        self._senders = (number * b"a" + b"@example.com" for number in count(1))
        self.begin, self.close = self._greylister.open, self._greylister.close

    async def hears(self) -> bool:
        """Ask about a stranger, who is let in where the store says nothing."""
        attempt = Attempt(b"192.0.2.7", b"mx1.example.com", b"mx.example.com", next(self._senders), b"r@example.org")
        return await self._greylister.judge(attempt) != Passed(b"store unavailable")


class ByGrant:
    """As pyrelay check does."""

    def __init__(self, url: str, heard: Heard) -> None:
        self._url = url
        self._reader = LedgerReader(url, lambda _why: None, heard)
        self.close = self._reader.close

    async def begin(self) -> None:
        """Give the grant."""
        ledger = Ledger(LedgerSettings(self._url), PATIENCE)
        assert isinstance(await ledger.grant(Login(address(_ROAMING), How.POP3, b"joe", b"tests"), 900), Granted)
        await ledger.close()

    async def hears(self) -> bool:
        """Ask about who has a grant, and may not relay where the store says nothing."""
        return await self._reader.grants(_ROAMING) != ()


Kind = Callable[[str, Heard], Asked]
GREYLISTS: Sequence[Kind] = (ByNetwork, ByTriplet)
KINDS: Sequence[Kind] = (*GREYLISTS, ByGrant)


@pytest.fixture(autouse=True)
def _short_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    """A store that has failed is tried again sooner than in truth."""
    monkeypatch.setattr(breaker, "_REST", 0.2)


class Scene:
    """Clients who come one after the other. went: how many questions went how. waits: seconds of each."""

    def __init__(self, kind: Kind, url: str) -> None:
        self.went: Counter[Went] = Counter()
        self.waits: list[float] = []
        self.asked = kind(url, self._hear)

    async def comes(self) -> bool:
        """Have one come -> whether the store has decided."""
        since = time.monotonic()
        hears = await self.asked.hears()
        self.waits.append(time.monotonic() - since)
        return hears

    async def until_well(self) -> None:
        """Have clients come until the store has decided about one."""
        async with asyncio.timeout(PATIENCE):
            while not await self.comes():
                await asyncio.sleep(0.01)

    def _hear(self, went: Went, _seconds: float) -> None:
        self.went[went] += 1


def goes_through(kind: Kind, url: str, fail: Callable[[], Awaitable[Mend]]) -> Scene:
    """What becomes of twenty clients while the store fails, and that it is asked again behind that."""

    async def go() -> Scene:
        scene = Scene(kind, url)
        await scene.asked.begin()
        await scene.until_well()
        scene.waits.clear()
        mend = await fail()
        try:
            assert [await scene.comes() for _ in range(20)] == [False] * 20
        finally:
            await asyncio.to_thread(mend)
        waits = scene.waits.copy()
        await scene.asked.begin()
        await scene.until_well()
        await scene.asked.close()
        scene.waits = waits
        return scene

    return asyncio.run(go())


def waited_once(scene: Scene) -> bool:
    """Whether hardly anybody has waited, and nobody for long."""
    return scene.went[Went.FAILED] < scene.went[Went.SKIPPED] and median(scene.waits) < 0.1 and max(scene.waits) < _SOON


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("fails", [is_gone, hangs, has_another_password, allows_less])
def test_a_server_that_fails(fails: Callable[[RedisServer], Mend], kind: Kind, redis: RedisServer) -> None:
    """Greylists let everybody in, the ledger lets nobody relay; most clients are not asked about at all."""
    scene = goes_through(kind, with_user(redis), lambda: asyncio.to_thread(fails, redis))

    assert waited_once(scene), scene.waits


@pytest.mark.parametrize("kind", GREYLISTS)
@pytest.mark.parametrize("fails", [is_demoted, is_full])
def test_a_server_that_takes_no_writes(fails: Callable[[RedisServer], Mend], kind: Kind, redis: RedisServer) -> None:
    """Who cannot be written down is let in."""
    scene = goes_through(kind, with_user(redis), lambda: asyncio.to_thread(fails, redis))

    assert waited_once(scene), scene.waits


@pytest.mark.parametrize("fails", [is_demoted, is_full])
def test_grants_count_where_a_server_takes_no_writes(fails: Callable[[RedisServer], Mend], redis: RedisServer) -> None:
    """And there are no new ones."""
    url = with_user(redis)

    async def go() -> None:
        scene = Scene(ByGrant, url)
        await scene.asked.begin()
        mend = await asyncio.to_thread(fails, redis)
        try:
            await scene.until_well()
            with pytest.raises(Failure, match="unable to use"):
                await scene.asked.begin()
            assert scene.went[Went.ANSWERED]
        finally:
            await asyncio.to_thread(mend)
        await scene.asked.close()

    asyncio.run(go())


@pytest.mark.parametrize("kind", KINDS)
def test_a_server_that_is_slow(kind: Kind, redis: RedisServer) -> None:
    """Half a second late is too late."""

    async def go() -> Scene:
        slow = Slow(redis.ip, redis.port)
        async with slow.listening() as url:
            scene = Scene(kind, url)
            await scene.asked.begin()
            await scene.until_well()
            scene.waits.clear()
            slow.delay = 0.5
            assert [await scene.comes() for _ in range(20)] == [False] * 20
            waits = scene.waits.copy()
            slow.delay = 0.0
            await scene.until_well()
            await scene.asked.close()
        scene.waits = waits
        return scene

    scene = asyncio.run(go())

    assert waited_once(scene), scene.waits


@pytest.mark.usefixtures("patient")
@pytest.mark.parametrize("kind", KINDS)
def test_a_server_that_forgets_scripts(kind: Kind, redis: RedisServer) -> None:
    """As when it was told to, while clients come: they notice nothing."""

    async def go() -> Scene:
        scene = Scene(kind, redis.url)
        await scene.asked.begin()
        for _ in range(3):
            assert redis.ask("SCRIPT FLUSH") == b"+OK"
            assert await asyncio.gather(*(scene.comes() for _ in range(10))) == [True] * 10
        await scene.asked.close()
        return scene

    assert asyncio.run(go()).went.keys() == {Went.ANSWERED}


@pytest.mark.usefixtures("patient")
def test_greylists_that_were_emptied(redis: RedisServer) -> None:
    """Who was let in waits once more, and as long as anybody."""
    settings, attempt = (
        TripletSettings(redis.url, delay=0),
        Attempt(b"192.0.2.7", b"x", b"x", b"s@x.example", b"r@y.example"),
    )

    async def go() -> None:
        network = RedisStore(redis.url, (TENANT,))
        triplets = Greylister(settings, pytest.fail)
        for _ in range(2):
            assert isinstance(await network.update("192.0.2.0/24", Visit(1_000, GREYLIST)), Refuse)
            assert await network.update("192.0.2.0/24", Visit(1_300, GREYLIST)) == Accept()
            assert await network.update("192.0.2.0/24", Visit(1_301, GREYLIST)) == Accept()
            assert await triplets.judge(attempt) == Passed(b"triplet found", 0)
            assert await triplets.judge(attempt) == Passed(b"triplet found")
            redis.empty()
        for one in (network, triplets):
            await one.close()

    asyncio.run(go())


@pytest.mark.usefixtures("patient")
def test_a_ledger_that_was_emptied(redis: RedisServer) -> None:
    """Nobody relays by a grant that is not there any more, until the next login."""

    async def go() -> None:
        scene = Scene(ByGrant, redis.url)
        await scene.asked.begin()
        assert await scene.comes()
        redis.empty()
        assert not await scene.comes()
        await scene.asked.begin()
        assert await scene.comes()
        assert scene.went.keys() == {Went.ANSWERED}
        await scene.asked.close()

    asyncio.run(go())
