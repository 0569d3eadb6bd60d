"""The rows of a server's records: how much memory it needs for as many as a large site has. Never asks how fast."""

import asyncio
import ipaddress
import shutil
from collections.abc import Callable, Iterable
from typing import Any

from effort import Effort
from findings import Bar, Finding
from workshop import Workshop

from rows.gate_greylist import redis
from ucspi_py.core.client.limits import NETWORK
from ucspi_py.core.greylist.settings import GreylistSettings
from ucspi_py.core.greylist.triplet.changes import TripletVisit
from ucspi_py.core.greylist.triplet.key import triplet_key
from ucspi_py.core.greylist.triplet.settings import TripletSettings
from ucspi_py.core.greylist.visit import Visit
from ucspi_py.core.store.change import Change
from ucspi_py.system.store.redis import RedisStore

_MANY = 10_000_000
_BAR = Bar("<=", 1.5, "GB")
_NETWORKS = GreylistSettings("", delay=300, window=172_800, memory=3_110_400, network=NETWORK, session_seconds=60)
_TRIPLETS = TripletSettings("")
#: Seconds since 1970: of all first visits, and of the second ones, by which two of five are let in.
_FIRST, _SECOND = 1_795_000_000, 1_795_000_400
_PER_NETWORK = 20
_AT_ONCE = 8


def records(workshop: Workshop, effort: Effort) -> list[Finding]:
    """Gigabytes of 10,000,000 records of a kind: of a part of them, with as many slots of a hash table for each."""
    program = "valkey-server" if shutil.which("valkey-server") else "redis-server"

    def finding(kind: str, key: Callable[[int], str], visit: Callable[[int], Change[Any]]) -> Finding:
        with redis(workshop, program) as url:
            size = asyncio.run(_bytes(url, effort.records, key, visit)) * _MANY / 1e9
        return Finding(f"records-{kind}", f"{_MANY:,} {kind}, {program}", "GB", size, None, None, size, _BAR)

    return [
        finding("networks", _network, lambda now: Visit(now, _NETWORKS)),
        finding("triplets", _triplet, lambda now: TripletVisit(now, _TRIPLETS)),
    ]


async def _bytes(url: str, number: int, key: Callable[[int], str], visit: Callable[[int], Change[Any]]) -> float:
    """How many bytes each of so many records takes."""
    from redis.asyncio import Redis

    store = RedisStore(url, ())
    async with Redis.from_url(url) as server:
        before = (await server.info("memory"))["used_memory"]
        await _visited(store, map(key, range(number)), visit(_FIRST))
        await _visited(store, (key(one) for one in range(number) if one % 5 < 2), visit(_SECOND))
        await store.close()
        return ((await server.info("memory"))["used_memory"] - before) / await server.dbsize()


async def _visited(store: RedisStore, keys: Iterable[str], visit: Change[Any]) -> None:
    left = iter(keys)

    async def client() -> None:
        for key in left:
            await store.update(key, visit)

    await asyncio.gather(*(client() for _ in range(_AT_ONCE)))


def _network(number: int) -> str:
    """Another network for each number, far from those before."""
    return str(ipaddress.IPv4Network(((number * 7_919_993 & 0xFFFFFF) << 8, 24)))


def _triplet(number: int) -> str:
    network = _network(number // _PER_NETWORK).encode()
    return triplet_key(network, b"sender@example.net", b"user%d@our.example" % number)
