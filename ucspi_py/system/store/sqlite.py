"""Records in an SQLite file that all workers share, and that outlives them. Never touches the file itself.

SQLite waits for disks and locks, so it has a thread of its own and the loop of a worker never waits with it. What comes
while the thread is busy is done together then, in one transaction. To be made in the process that uses it: neither a
connection nor a thread may cross a fork. Never decides.
"""

import asyncio
from collections import deque
from collections.abc import Sequence
from functools import partial
from typing import Any, NamedTuple, TypeVar

from ...core.store.change import Change, Page, Script, Tenant, single
from ...core.store.size import DEFAULT
from .file import sqlite_tables as tables
from .file.serial_executor import SerialExecutor, settle
from .file.sqlite_file import SqliteFile
from .file.turn import Answer

T = TypeVar("T")

#: Seconds to wait for another writer; each of them is done in some milliseconds.
_BUSY = 0.1
#: Scripts that are played at once, and so changes in one transaction: other processes wait for it.
_AT_ONCE = 50


class _Waiting(NamedTuple):
    script: Script[Any]
    result: asyncio.Future[Any]


class SqliteStore:
    """One process's way to the file.

    path: of the file. tenants: whose records are kept there. size: bytes that the file and the two beside it may have
    together. pages: of 4 KiB that the file itself may have; then records that expire first go early; None = all of the
    size but what has not been moved into it yet (-wal). busy: seconds to wait for another writer. All methods raise
    sqlite3.Error where the file is missing, damaged, locked, read-only, of another release, or its disk is full.
    """

    def __init__(
        self,
        path: str,
        tenants: Sequence[Tenant],
        size: int = DEFAULT,
        pages: int | None = None,
        busy: float = _BUSY,
    ) -> None:
        self._file = SqliteFile(path, tenants, pages or size // 4096 * 15 // 16, size, busy)
        self._executor = SerialExecutor()
        self._waiting: deque[_Waiting] = deque()
        self._is_busy = False

    async def open(self) -> None:
        """Open the file, made if it does not exist."""
        await self._executor.run(self._file.opened)

    async def update(self, key: str, change: Change[T]) -> T:
        """Apply a change to the record of a key, and return its result. Raises ValueError for what is no record."""
        return await self.play(single(key, change))

    async def play(self, script: Script[T]) -> T:
        """Play a script of changes, and return its result. Raises ValueError for what is no record."""
        waiting = _Waiting(script, asyncio.get_running_loop().create_future())
        self._waiting.append(waiting)
        if not self._is_busy:
            self._take_turn()
        result: T = await waiting.result
        return result

    async def page(self, tenant: Tenant, after: str | None, prefix: str = "") -> Page:
        """Read some records, by their keys -> these and the last key; None = that was all.

        after: what the last call gave; None = the first. prefix: with which the keys begin; of hex digits an even
        number.
        """
        return await self._executor.run(lambda: tables.page(self._file.opened(), tenant, after, prefix))

    async def forget(self, tenant: Tenant, keys: Sequence[str]) -> int:
        """Forget the records of some keys, no more than a page has -> how many there were."""
        return await self._executor.run(lambda: self._file.forget(tenant, keys))

    async def close(self) -> None:
        """Give everything back."""
        await self._executor.run(self._file.close)
        self._executor.close()

    def _take_turn(self) -> None:
        """Have the thread do what somebody still waits for, if there is anything."""
        asked: list[_Waiting] = []
        while self._waiting and len(asked) < _AT_ONCE:
            one = self._waiting.popleft()
            if not one.result.done():
                asked.append(one)
        if asked:
            scripts = [one.script for one in asked]
            self._executor.begin(partial(self._file.play, scripts), partial(self._end_turn, asked))
        self._is_busy = bool(asked)

    def _end_turn(self, asked: Sequence[_Waiting], answers: Sequence[Answer] | Exception) -> None:
        if isinstance(answers, Exception):
            answers = [Answer(None, answers)] * len(asked)
        for one, answer in zip(asked, answers, strict=True):
            settle(one.result, answer.error or answer.result)
        self._take_turn()
