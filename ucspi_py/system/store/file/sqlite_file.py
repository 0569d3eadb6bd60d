"""An SQLite file of records as one thread has it: opened, kept small, changed. Never decides."""

import os
import sqlite3
import time
from collections.abc import Sequence
from typing import Any

from ....core.store.change import Script, Tenant
from . import sqlite_tables as tables
from .checkpoints import MOVE, Checkpoints
from .room import PAGE, PAUSES, Room
from .turn import Answer, Turn

#: Pages of the WAL, 16 MiB, with which a writer that has made no checkpoint yet makes one, and the part of all bytes
#: that those may have. To make a WAL smaller is slow, so it stays as large as twice that.
_WAL, _PART = 4096, 32

#: NORMAL syncs at a checkpoint only: a crash of the machine may cost the last records, never the file. The cache, in
#: KiB, has all the inner pages of ten million records.
_OPEN = """
PRAGMA journal_mode = WAL;
PRAGMA synchronous = NORMAL;
PRAGMA cache_size = -8192;
PRAGMA wal_autocheckpoint = {wal};
PRAGMA journal_size_limit = {limit};
"""
#: Records that a script writes at most: its triplet's and its client's.
_WRITES = 2


class SqliteFile:
    """The file as of SqliteStore. All methods raise sqlite3.Error, as it says.

    pages: that the file may have. size: bytes of all three files. busy: seconds to wait for another writer.
    """

    def __init__(self, path: str, tenants: Sequence[Tenant], pages: int, size: int, busy: float) -> None:
        # An absolute path is a file for SQLite too, whatever its name.
        self._path = os.path.abspath(path)
        self._tenants = tenants
        self._size = size
        self._busy = busy
        self._connection: sqlite3.Connection | None = None
        self._identity: tuple[int, int] | None = None
        self._checkpoints = Checkpoints(self._path)
        self._room = Room(self._path, pages, size, self._checkpoints)

    def opened(self) -> sqlite3.Connection:
        """Open the file, made if it does not exist, unless it is open."""
        if self._connection is not None and identity(self._path) != self._identity:
            self._disconnect()  # it was removed or replaced: what is written there, nobody would ever read
        if self._connection is None:
            self._connection = self._connect()
            self._identity = identity(self._path)
        return self._connection

    def play(self, scripts: Sequence[Script[Any]]) -> list[Answer]:
        """Play some scripts to their ends, all that they write in one transaction -> the answers that they come to."""
        try:
            with self.opened() as connection:
                turn = Turn(connection, lambda: self._room.is_full(connection, _WRITES * len(scripts)))
                answers = [turn.play(script) for script in scripts]
            if turn.written and self._checkpoints.count(turn.written):
                connection.execute(MOVE).fetchall()
        except sqlite3.Error:
            self._disconnect()  # the next one opens what may have been repaired or replaced meanwhile
            raise
        return answers

    def forget(self, tenant: Tenant, keys: Sequence[str]) -> int:
        """Forget the records of some keys -> how many there were."""
        with self.opened() as connection:
            connection.execute("BEGIN IMMEDIATE")
            return tables.drop(connection, tenant, keys)

    def close(self) -> None:
        """Give everything back."""
        self._checkpoints.close()
        self._disconnect()

    def _connect(self) -> sqlite3.Connection:
        """Connect. Workers that begin a new file at once are locked out by each other, and try again."""
        for pause in PAUSES:
            try:
                return self._prepared()
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode != sqlite3.SQLITE_BUSY:
                    raise
                time.sleep(pause)
        return self._prepared()

    def _prepared(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, timeout=self._busy, isolation_level=None)
        try:
            wal = max(1, min(_WAL, self._size // PAGE // _PART))
            connection.executescript(_OPEN.format(wal=wal, limit=2 * wal * PAGE))
            for tenant in self._tenants:
                tables.take_over(connection, tenant)
        except sqlite3.Error:
            connection.close()
            raise
        return connection

    def _disconnect(self) -> None:
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
