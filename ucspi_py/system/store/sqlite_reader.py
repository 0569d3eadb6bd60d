"""Records in an SQLite file, read by whoever need not be able to write it. Never makes or changes anything.

What is read has either a WAL, and then its readers see each change at once; or nobody has it open, and then it is read
as any other file, and not kept open: whoever writes next begins a WAL.
"""

import errno
import os
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from functools import partial
from typing import TypeVar
from urllib.parse import quote

from ...core.store.change import Kept, Page, Row, Tenant
from .file import sqlite_tables as tables
from .file.serial_executor import SerialExecutor
from .file.sqlite_file import identity

T = TypeVar("T")

#: Seconds to wait for whoever keeps others from reading.
_BUSY = 0.1


class SqliteReader:
    """One process's way to the file; both must stay in the process that uses it.

    path: of the file. All methods raise sqlite3.Error where it is missing, damaged, locked, or has no such records.
    """

    def __init__(self, path: str) -> None:
        self._path = os.path.abspath(path)
        self._connection: sqlite3.Connection | None = None
        self._identity: tuple[int, int] | None = None
        self._executor = SerialExecutor()

    async def read_some(self, tenant: Tenant, keys: Sequence[str]) -> tuple[Row, ...]:
        """Read the records of some keys; those that there are."""
        return await self._executor.run(lambda: self._asked(lambda connection: _records(connection, tenant, keys)))

    async def find(self, tenant: Tenant, keys: Sequence[str]) -> list[Kept]:
        """Read the records of some keys, those that there are; there need not be a file, or a tenant in it.

        Raises OSError where its folder cannot be searched.
        """
        question = partial(tables.found, tenant=tenant, keys=keys)
        return await self._executor.run(lambda: self._asked_if_there(tenant, question)) or []

    async def page(self, tenant: Tenant, after: str | None, prefix: str = "") -> Page:
        """Read some records as SqliteStore.page() does; there need not be a file, or a tenant in it.

        Raises OSError where its folder cannot be searched.
        """
        question = partial(tables.page, tenant=tenant, after=after, prefix=prefix)
        return await self._executor.run(lambda: self._asked_if_there(tenant, question)) or ([], None)

    async def close(self) -> None:
        """Give everything back."""
        await self._executor.run(self._close)
        self._executor.close()

    def _asked(self, question: Callable[[sqlite3.Connection], T]) -> T:
        if not _has_wal(self._path):
            self._close()
            with closing(_connect(self._path)) as connection:
                return question(connection)
        try:
            return question(self._opened())
        except sqlite3.Error:
            self._close()  # the next one opens what may have been repaired or replaced meanwhile
            raise

    def _asked_if_there(self, tenant: Tenant, question: Callable[[sqlite3.Connection], T]) -> T | None:
        if _is_empty(self._path):
            return None
        return self._asked(lambda connection: question(connection) if tables.is_there(connection, tenant) else None)

    def _opened(self) -> sqlite3.Connection:
        if self._connection is None or identity(self._path) != self._identity:
            self._close()
            self._identity = identity(self._path)
            self._connection = _connect(self._path)
        return self._connection

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _is_empty(path: str) -> bool:
    """Whether nothing was ever put there. Raises OSError where it cannot be found out.

    It is not opened for that: to close it gives up all locks that the process has on it, SQLite's too.
    """
    try:
        is_empty = not os.stat(path).st_size
    except FileNotFoundError:
        return True
    if is_empty and not os.access(path, os.R_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)
    return is_empty


def _records(connection: sqlite3.Connection, tenant: Tenant, keys: Sequence[str]) -> tuple[Row, ...]:
    found = (tables.record_of(connection, tenant, key) for key in keys)
    return tuple(record for record in found if record is not None)


def _connect(path: str) -> sqlite3.Connection:
    more = "" if _has_wal(path) else "&immutable=1"
    return sqlite3.connect(f"file:{quote(path)}?mode=ro{more}", uri=True, timeout=_BUSY, isolation_level=None)


def _has_wal(path: str) -> bool:
    return os.path.exists(f"{path}-wal")
