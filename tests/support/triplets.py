"""The store of a gate that greylists by triplet: made, counted and made older, as if time had passed."""

import asyncio
import sqlite3
import time
from contextlib import closing
from pathlib import Path

from ucspi_py.core.greylist.attempt import Attempt, Deferred
from ucspi_py.core.greylist.triplet.changes import CLIENTS, TRIPLETS
from ucspi_py.core.greylist.triplet.settings import TripletSettings
from ucspi_py.system.greylist.greylister import Greylister
from ucspi_py.system.store.sqlite import SqliteStore


def made(path: Path) -> Path:
    """A store with nobody in it, as a service that runs has it."""

    async def make() -> None:
        store = SqliteStore(str(path), (TRIPLETS, CLIENTS))
        await store.open()
        await store.close()

    asyncio.run(make())
    return path


def waits(db: Path, attempt: Attempt, seconds: int) -> None:
    """Have somebody have tried to deliver so many seconds ago."""

    async def come() -> None:
        greylister = Greylister(TripletSettings(str(db)), print, lambda: time.time() - seconds)
        assert isinstance(await greylister.judge(attempt), Deferred)
        await greylister.close()

    asyncio.run(come())


def count(db: Path) -> int:
    """How many triplets are remembered."""
    with closing(sqlite3.connect(db)) as connection:
        (found,) = connection.execute("SELECT count(*) FROM triplets").fetchone()
    return int(found)


def grow_older(db: Path, seconds: int) -> None:
    """Let time pass: all that is remembered was so many seconds earlier."""
    with closing(sqlite3.connect(db)) as connection, connection:
        connection.execute("UPDATE triplets SET first = first - ?1, last = last - ?1", (seconds,))
        connection.execute("UPDATE greylist_clients SET last = last - ?", (seconds,))


def forget(db: Path) -> None:
    """Forget everybody."""
    with closing(sqlite3.connect(db)) as connection, connection:
        connection.execute("DELETE FROM triplets")
        connection.execute("DELETE FROM greylist_clients")
