"""The row of the ledger: how long it takes to find out whether a client has a grant. Never grants by logins."""

import asyncio
import ipaddress
import random
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from effort import Effort
from findings import Bar, Finding
from workshop import Spoiled, Workshop

from ucspi_py.core.ledger.grant import Grant, How
from ucspi_py.core.ledger.record import text
from ucspi_py.core.ledger.settings import LedgerSettings
from ucspi_py.system.ledger.ledger import Ledger
from ucspi_py.system.ledger.reader import LedgerReader

_BAR = Bar("<=", 1, "ms")
_LOOKUPS = 5_000
#: 16.0.0.0; every other address from there on has a grant.
_FIRST = 16 << 24
_LIFE, _PATIENCE = 86_400, 10.0


def lookups(workshop: Workshop, effort: Effort) -> list[Finding]:
    """Milliseconds until a client has been looked up, by addresses at random, of which every other one has a grant."""
    place = workshop.folder / "ledger.db"
    asyncio.run(_made(place, effort.grants))
    took = sorted(1000 * seconds for seconds in asyncio.run(_timed(str(place), effort.grants)))
    typical, slow = took[len(took) // 2], took[len(took) * 99 // 100]
    work = f"a look-up among {effort.grants:,} grants"
    return [Finding("ledger", work, "ms", typical, None, None, typical, _BAR, f"99 of 100 within {slow:.2f} ms")]


async def _made(place: Path, number: int) -> None:
    ledger = Ledger(LedgerSettings(str(place)), _PATIENCE)
    await ledger.open()
    await ledger.close()
    with closing(sqlite3.connect(place)) as connection, connection:
        connection.executemany("INSERT INTO relay VALUES (?, ?, ?)", _rows(number))


def _rows(number: int) -> Iterator[tuple[str, str, int]]:
    now = int(time.time())
    for place in range(number):
        user = b"user%d@customer.example" % place
        grant = Grant(now + _LIFE, now, now, 1, How.POP3, user, b"89@mx1.example.org")
        yield str(ipaddress.IPv4Address(_FIRST + 2 * place)), text([grant]), now + _LIFE - 1


async def _timed(place: str, number: int) -> list[float]:
    """Seconds of each look-up. Raises Spoiled where one has another answer than it should."""
    writer, reader = Ledger(LedgerSettings(place), _PATIENCE), LedgerReader(place, _fail)
    await writer.open()  # as in service: somebody has it open who grants
    await reader.open()
    chance, took = random.Random(1), []  # noqa: S311  the same addresses each time
    for _ in range(_LOOKUPS):
        asked = chance.randrange(2 * number)
        ip = str(ipaddress.IPv4Address(_FIRST + asked)).encode()
        begin = time.perf_counter()
        found = await reader.grants(ip)
        took.append(time.perf_counter() - begin)
        if len(found) != 1 - asked % 2:
            raise Spoiled(f"{ip!r} has {len(found)} grants")
    await reader.close()
    await writer.close()
    return took


def _fail(reason: str) -> None:
    raise Spoiled(reason)
