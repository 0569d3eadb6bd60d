"""Records in an SQLite file that all workers share, and that outlives them. Never words a statement about them.

SQLite waits for disks and locks, so it has a thread of its own and the loop of a worker never waits with it. To be made
in the process that uses it: neither a connection nor a thread may cross a fork. Never decides.
"""

import asyncio
import os
import sqlite3
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from ...core.store.change import Change, Outcome, Page, Tenant
from . import sqlite_tables as tables

T = TypeVar("T")

#: Seconds to wait for another writer; each of them is done in less than a millisecond.
_BUSY = 0.1
#: Seconds between tries to open the file.
_PAUSES = (0.01, 0.02, 0.04, 0.08)
#: Bytes that the file and the two beside it may have together: 1 GiB is enough for every /24 there is.
_SIZE = 1 << 30
#: Pages of 4 KiB that the file itself may have. The rest is for what has not been moved into it yet (-wal).
_PAGE = 4096
_PAGES = _SIZE // _PAGE * 15 // 16

#: NORMAL syncs at a checkpoint only: a crash of the machine may cost the last records, never the file.
_OPEN = """
PRAGMA journal_mode = WAL;
PRAGMA synchronous = NORMAL;
PRAGMA journal_size_limit = 8388608;
"""
_PAGES_AND_FREE = "SELECT page_count, freelist_count FROM pragma_page_count, pragma_freelist_count"
_EMPTY_WAL = "PRAGMA wal_checkpoint(TRUNCATE)"
_ANY_TIME = 1 << 62


class SqliteStore:
    """One process's way to the file.

    path: of the file. tenants: whose records are kept there. pages: those that the file may have; then records that
    expire first go early. size: bytes of all three files. busy: seconds to wait for another writer. All methods raise
    sqlite3.Error where the file is missing, damaged, locked, read-only, of another release, or its disk is full.
    """

    def __init__(
        self, path: str, tenants: Sequence[Tenant], pages: int = _PAGES, size: int = _SIZE, busy: float = _BUSY
    ) -> None:
        # An absolute path is a file for SQLite too, whatever its name.
        self._path = os.path.abspath(path)
        self._tenants = tenants
        self._pages = pages
        self._size = size
        self._busy = busy
        self._connection: sqlite3.Connection | None = None
        self._identity: tuple[int, int] | None = None
        self._thread = ThreadPoolExecutor(max_workers=1)

    async def open(self) -> None:
        """Open the file, made if it does not exist."""
        await self._in_thread(self._opened)

    async def update(self, key: str, change: Change[T]) -> T:
        """Apply a change to the record of a key, and return its result."""
        return await self._in_thread(lambda: self._update(key, change))

    async def page(self, tenant: Tenant, after: str | None, prefix: str = "") -> Page:
        """Read some records, by their keys -> these and the last key; None = that was all.

        after: what the last call gave; None = the first. prefix: with which the keys begin; of hex digits an even
        number.
        """
        return await self._in_thread(lambda: tables.page(self._opened(), tenant, after, prefix))

    async def forget(self, tenant: Tenant, keys: Sequence[str]) -> int:
        """Forget the records of some keys, no more than a page has -> how many there were."""
        return await self._in_thread(lambda: self._forget(tenant, keys))

    async def close(self) -> None:
        """Give everything back."""
        await self._in_thread(self._close)
        self._thread.shutdown(wait=False)

    async def _in_thread(self, deed: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, deed)

    def _update(self, key: str, change: Change[T]) -> T:
        try:
            connection = self._opened()
            known = tables.record_of(connection, change.tenant, key)
            outcome = change.apply(known)
            if outcome.record != known:
                outcome = self._write(connection, key, change)
        except sqlite3.Error:
            self._close()  # the next update opens what may have been repaired or replaced meanwhile
            raise
        return outcome.result

    def _write(self, connection: sqlite3.Connection, key: str, change: Change[T]) -> Outcome[T]:
        """Apply a change again while nobody else can write: another worker may have changed the record meanwhile."""
        pages, free = connection.execute(_PAGES_AND_FREE).fetchone()
        self._make_room(connection, pages)
        with connection:
            connection.execute("BEGIN IMMEDIATE")
            outcome = change.apply(tables.record_of(connection, change.tenant, key))
            tables.sweep(connection, change.tenant, _ANY_TIME if pages - free >= self._pages else change.now)
            if outcome.record is None:
                tables.drop(connection, change.tenant, (key,))
            else:
                tables.put(connection, change.tenant, key, outcome.record, outcome.expires)
        return outcome

    def _make_room(self, connection: sqlite3.Connection, pages: int) -> None:
        """Empty the WAL where there would be too much. It cannot be emptied, and grows, while somebody reads it."""
        if self._bytes(pages) >= self._size:
            connection.execute(_EMPTY_WAL).fetchall()
            if self._bytes(pages) >= self._size:
                raise sqlite3.OperationalError("it is full, and another program keeps reading it")

    def _bytes(self, pages: int) -> int:
        return pages * _PAGE + sum(_size_of(self._path + suffix) for suffix in ("-wal", "-shm"))

    def _forget(self, tenant: Tenant, keys: Sequence[str]) -> int:
        with self._opened() as connection:
            connection.execute("BEGIN IMMEDIATE")
            return tables.drop(connection, tenant, keys)

    def _opened(self) -> sqlite3.Connection:
        if self._connection is not None and identity(self._path) != self._identity:
            self._close()  # it was removed or replaced: what is written there, nobody would ever read
        if self._connection is None:
            self._connection = _connect(self._path, self._tenants, self._busy)
            self._identity = identity(self._path)
        return self._connection

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def identity(path: str) -> tuple[int, int] | None:
    """Which file that is; None where there is none."""
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _size_of(path: str) -> int:
    try:
        return os.stat(path).st_size
    except OSError:
        return 0


def _connect(path: str, tenants: Sequence[Tenant], busy: float) -> sqlite3.Connection:
    """A connection to the file. Workers that begin a new one at once are locked out by each other, and try again."""
    for pause in _PAUSES:
        try:
            return _prepared(path, tenants, busy)
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY:
                raise
            time.sleep(pause)
    return _prepared(path, tenants, busy)


def _prepared(path: str, tenants: Sequence[Tenant], busy: float) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=busy, isolation_level=None)
    try:
        connection.executescript(_OPEN)
        for tenant in tenants:
            tables.take_over(connection, tenant)
    except sqlite3.Error:
        connection.close()
        raise
    return connection
