"""The WAL of an SQLite file moved into it while others write: whoever writes does not wait for the disk. Never reads.

A checkpoint that a writer makes by itself costs it about a thousand pages here and there on the disk. So most of that
is done by another thread, and is on the disk when the writer moves the little that has come meanwhile. Only then is the
WAL empty, and begun again.
"""

import os
import sqlite3
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, suppress
from threading import Lock
from urllib.parse import quote

#: What a checkpoint is: it waits neither for writers nor for readers, nor does anybody for it.
MOVE = "PRAGMA wal_checkpoint(PASSIVE)"

#: Records written until the next checkpoint. Each changes up to five pages, where there are ten million.
_RECORDS = 500
#: (device, inode) -> what a file is synced by. To close any descriptor of a file gives up all locks that the process
#: has on it, SQLite's too. So it stays open, until the file has been removed.
_DESCRIPTORS: dict[tuple[int, int], int] = {}
_LOCK = Lock()


class Checkpoints:
    """The checkpoints of one connection. path: of the file, absolute."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._written = 0
        self._thread = ThreadPoolExecutor(max_workers=1)
        self._running: Future[None] | None = None

    def count(self, records: int) -> bool:
        """Count records that were written, and begin to move them where it is time -> whether the rest is due now."""
        self._written += records
        if self._running is not None and self._running.done():
            self._running = None
            return True
        if self._running is None and self._written >= _RECORDS:
            self._written = 0
            self._running = self._thread.submit(self._move)
        return False

    def wait(self) -> None:
        """Wait for the checkpoint that goes on."""
        if self._running is not None:
            self._running.result()

    def close(self) -> None:
        """Give everything back."""
        self._thread.shutdown()

    def _move(self) -> None:
        """Move all that there is, then what has come meanwhile. What fails here fails for the writer, and is told."""
        place = f"file:{quote(self._path)}?mode=rw"
        with suppress(sqlite3.Error, OSError), closing(sqlite3.connect(place, uri=True, timeout=0)) as connection:
            for _ in range(2):
                connection.execute(MOVE).fetchall()
                os.fdatasync(_descriptor(self._path))


def _descriptor(path: str) -> int:
    status = os.stat(path)
    key = status.st_dev, status.st_ino
    with _LOCK:
        for other, descriptor in [*_DESCRIPTORS.items()]:
            if not os.fstat(descriptor).st_nlink:
                os.close(_DESCRIPTORS.pop(other))
        if key not in _DESCRIPTORS:
            _DESCRIPTORS[key] = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        return _DESCRIPTORS[key]
