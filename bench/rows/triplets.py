"""The rows of the triplets: how large their store is, and how long an attempt waits for it. Never speaks SMTP."""

import asyncio
import itertools
import random
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from effort import Effort
from findings import Bar, Finding
from workshop import Spoiled, Workshop

from ucspi_py.core.greylist.attempt import Attempt, Deferred
from ucspi_py.core.greylist.triplet.changes import TRIPLETS
from ucspi_py.core.greylist.triplet.identity import identity
from ucspi_py.core.greylist.triplet.key import normalised, triplet_key
from ucspi_py.core.greylist.triplet.settings import TripletSettings
from ucspi_py.system.greylist.greylister import Greylister
from ucspi_py.system.store.sqlite import SqliteStore

_GIGABYTE = 1_000_000_000
_SIZE = 4 << 30
_PER_NETWORK = 20
#: Clients that ask at once, and how many attempts a second come of all of them: far more than of a busy site.
_CLIENTS, _A_SECOND = 20, 1_000
#: Triplets written in one transaction, each in an hour of its own, and the hours that those have that are there yet.
_PIECE, _HOURS = 50_000, 35 * 24
#: For one piece after the other, while nobody needs it: no syncs, and as much of the file in memory as helps.
_QUICKLY = "PRAGMA synchronous = OFF; PRAGMA cache_size = -600000"


def triplets(workshop: Workshop, effort: Effort) -> list[Finding]:
    """Bytes of the store, and milliseconds of 99 of 100 attempts: known and new by turns, and what expires is swept."""
    place = workshop.folder / "triplets.db"
    settings = TripletSettings(store=str(place), max_size=_SIZE, counts_networks=False)
    asyncio.run(_made(place))
    _fill(place, settings, effort.triplets)
    paced, rate = asyncio.run(_measured(settings, effort))
    size = sum(file.stat().st_size for file in workshop.folder.glob("triplets.db*")) / _GIGABYTE
    for file in workshop.folder.glob("triplets.db*"):
        file.unlink()
    number = f"{effort.triplets:,}"
    slow, note = paced[len(paced) * 99 // 100], f"at most {paced[-1]:.0f} ms; {rate:,.0f}/s where nobody pauses"
    return [
        Finding("triplets-size", f"{number} triplets, SQLite", "GB", size, None, None, size, Bar("<=", 2.5, "GB")),
        Finding(
            "triplets", f"  p99 of {_A_SECOND:,} attempts/s", "ms", slow, None, None, slow, Bar("<=", 5, "ms"), note
        ),
    ]


async def _made(place: Path) -> None:
    store = SqliteStore(str(place), (TRIPLETS,))
    await store.open()
    await store.close()


def _fill(place: Path, settings: TripletSettings, number: int) -> None:
    """Keep what a site has seen for five weeks: two of five triplets were let in, the others have expired or wait."""
    now = int(time.time())
    with closing(sqlite3.connect(place, isolation_level=None)) as connection:
        connection.executescript(_QUICKLY)
        for start in range(0, number, _PIECE):
            since = now - 3600 * (_HOURS - _HOURS * start // number)
            with connection:
                connection.execute("BEGIN")
                rows = _rows(range(start, min(start + _PIECE, number)), since, settings)
                connection.executemany("INSERT INTO triplets VALUES (?, ?, ?, ?, ?)", rows)


def _rows(numbers: range, since: int, settings: TripletSettings) -> Iterator[tuple[bytes, int, int, int | None, int]]:
    for number in numbers:
        attempt = _attempt(number)
        who = identity(attempt, settings) or b""
        key = bytes.fromhex(triplet_key(who, normalised(attempt.sender), attempt.recipient))
        if number % 5 < 2:
            yield key, since, since + 400, 400, since + 400 + settings.max_age
        else:
            yield key, since, since, None, since + settings.retry_window


def _attempt(number: int) -> Attempt:
    """Attempts of one network come far from each other, as they do."""
    network = random.Random(number // _PER_NETWORK).getrandbits(24)  # noqa: S311  the same each time
    ip = b"%d.%d.%d.7" % (network >> 16, network >> 8 & 255, network & 255)
    place = number * 7919 % 1_000_003
    return Attempt(ip, b"unknown", b"mx", b"sender@s%d.example" % place, b"user%d@our.example" % number)


async def _measured(settings: TripletSettings, effort: Effort) -> tuple[list[float], float]:
    """Milliseconds of attempts at their pace, in order; and how many there are a second where nobody pauses."""
    greylister = Greylister(settings, _fail)
    await greylister.open()
    attempts = _attempts(effort)
    await _asked(greylister, attempts, effort.attempts // 10)
    paced = await _asked(greylister, attempts, effort.attempts, _CLIENTS / _A_SECOND)
    begin = time.perf_counter()
    await _asked(greylister, attempts, effort.attempts)
    rate = effort.attempts / (time.perf_counter() - begin)
    await greylister.close()
    return sorted(1000 * seconds for seconds in paced), rate


def _attempts(effort: Effort) -> Iterator[tuple[Attempt, bool]]:
    """Attempts, and whether they are let in: those of the last week that were let in, and new ones, by turns."""
    chance = random.Random(1)  # noqa: S311  the same each time
    for new in itertools.count(effort.triplets):
        yield _attempt(chance.randrange(effort.triplets * 4 // 5, effort.triplets) // 5 * 5), True
        yield _attempt(new), False


async def _asked(
    greylister: Greylister, attempts: Iterator[tuple[Attempt, bool]], number: int, seconds: float = 0
) -> list[float]:
    """Seconds of each attempt. seconds: from one of a client to its next; they take turns. Raises Spoiled."""
    took: list[float] = []

    async def client(due: float) -> None:
        for _ in range(number // _CLIENTS):
            await asyncio.sleep(due - time.perf_counter())
            due += seconds
            attempt, is_known = next(attempts)
            begin = time.perf_counter()
            verdict = await greylister.judge(attempt)
            took.append(time.perf_counter() - begin)
            if isinstance(verdict, Deferred) == is_known:
                raise Spoiled(f"{attempt}: {verdict}")

    now = time.perf_counter()
    await asyncio.gather(*(client(now + place * seconds / _CLIENTS) for place in range(_CLIENTS)))
    return took


def _fail(reason: str) -> None:
    raise Spoiled(reason)
