"""The room that a file of records may take; while there is much of it, it is looked at now and then. Never writes one.

To make room is to move the WAL into the file and to cut it off.
"""

import os
import sqlite3
import time

from .checkpoints import Checkpoints

#: Seconds between tries to begin a checkpoint, of which there is one at a time.
PAUSES = (0.01, 0.02, 0.04, 0.08)
PAGE = 4096
_PAGES_AND_FREE = "SELECT page_count, freelist_count FROM pragma_page_count, pragma_freelist_count"
_EMPTY_WAL = "PRAGMA wal_checkpoint(TRUNCATE)"
#: Records that are written at most without a look at the room, and pages that must be left for each: fifty processes
#: that change five pages each do not take more.
_UNSEEN, _PAGES_OF_EACH = 32, 256


class Room:
    """The room of one connection's file. All methods raise sqlite3.Error.

    path: of the file, absolute. pages: that it may have. size: bytes of it and the two beside it. checkpoints: of the
    connection.
    """

    def __init__(self, path: str, pages: int, size: int, checkpoints: Checkpoints) -> None:
        self._path = path
        self._pages = pages
        self._size = size
        self._checkpoints = checkpoints
        self._unseen = 0

    def is_full(self, connection: sqlite3.Connection, records: int) -> bool:
        """Tell whether records have to go where others come, and empty the WAL where there would be too much.

        records: how many are about to be written. It cannot be emptied, and grows, while somebody reads it.
        """
        if self._unseen >= records:
            self._unseen -= records
            return False
        pages, free = connection.execute(_PAGES_AND_FREE).fetchone()
        if self._bytes(pages) >= self._size:
            self._empty_wal(connection)
        left = self._size - self._bytes(pages)
        if left <= 0:
            raise sqlite3.OperationalError("it is full, and another program keeps reading it")
        unused: int = self._pages - (pages - free)
        self._unseen = max(0, min(_UNSEEN, min(unused, left // PAGE) // _PAGES_OF_EACH) - records)
        return unused <= 0

    def _empty_wal(self, connection: sqlite3.Connection) -> None:
        """Move all of the WAL and cut it off, unless somebody reads it; when the checkpoint of another has ended."""
        self._checkpoints.wait()
        for pause in PAUSES:
            _, pages, _ = connection.execute(_EMPTY_WAL).fetchone()
            if pages >= 0:
                return
            time.sleep(pause)

    def _bytes(self, pages: int) -> int:
        return pages * PAGE + sum(_size_of(self._path + suffix) for suffix in ("-wal", "-shm"))


def _size_of(path: str) -> int:
    try:
        return os.stat(path).st_size
    except OSError:
        return 0
