"""What db5.3_dump prints, taken over into a store. Never serves."""

import asyncio
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import BinaryIO

from ...core.errors import Failure
from ...core.greylist.triplet.changes import CLIENTS, TRIPLETS
from ...core.greylist.triplet.settings import TripletSettings
from ...core.postgrey.dump import Entry, Flaw, Hashed, KnownTriplet, entries
from ...core.postgrey.importing import Taken, taken
from ...core.store import url
from ..store.reason import reason
from ..store.records import Store, keeper

#: Entries that are taken over at once, and bytes that are read of a line.
_AT_ONCE, _LINE = 500, 1 << 16
TRIPLET, CLIENT, EXPIRED, HASHED = "triplets", "clients", "expired", "hashed"


def run(file: BinaryIO, settings: TripletSettings) -> tuple[Counter[str], list[Flaw]]:
    """Take over what a file has -> how much there was of each kind, and what could not be taken.

    Raises Failure where the store cannot be used.
    """
    return asyncio.run(_run(entries(_lines(file)), settings))


def _lines(file: BinaryIO) -> Iterator[bytes]:
    while line := file.readline(_LINE):
        yield line


async def _run(known: Iterable[Entry], settings: TripletSettings) -> tuple[Counter[str], list[Flaw]]:
    counts, flaws, now = Counter[str](), list[Flaw](), int(time.time())
    changes = _changes(known, now, settings, counts, flaws)
    try:
        store = keeper(settings.store, settings.max_size)(settings.store, (TRIPLETS, CLIENTS))
        try:
            while some := list(islice(changes, _AT_ONCE)):
                await _written(store, some)
        finally:
            await store.close()
    except Exception as error:  # each library has its own
        raise Failure(f"unable to use {url.shown(settings.store)}: {reason(error)}") from None
    return counts, flaws


async def _written(store: Store, some: Iterable[Taken]) -> None:
    await asyncio.gather(*(store.update(one.key, one.change) for one in some))


def _changes(
    known: Iterable[Entry], now: int, settings: TripletSettings, counts: Counter[str], flaws: list[Flaw]
) -> Iterator[Taken]:
    """now: seconds since 1970. counts, flaws: take note of the rest."""
    for one in known:
        if isinstance(one, Flaw):
            flaws.append(one)
        elif isinstance(one, Hashed):
            counts[HASHED] += 1
        elif (change := taken(one, now, settings)) is None:
            counts[EXPIRED] += 1
        else:
            counts[TRIPLET if isinstance(one, KnownTriplet) else CLIENT] += 1
            yield change
