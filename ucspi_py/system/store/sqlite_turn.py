"""One turn at an SQLite file: it reads one state of the file, and writes from its first change on. Never opens it."""

import sqlite3
from typing import Any, NamedTuple, Self

from ...core.store.change import Outcome, Step
from . import sqlite_tables as tables

_ANY_TIME = 1 << 62


class Answer(NamedTuple):
    """What became of one change, or of a script. error: why there is no result; None = there is one."""

    result: Any
    error: Exception | None = None


class Turn:
    """One transaction. All methods raise sqlite3.Error; then nothing of it is kept.

    connection: to the file, in no transaction. is_full: records that expire first have to go. written: how many it has
    written so far.
    """

    def __init__(self, connection: sqlite3.Connection, *, is_full: bool) -> None:
        self.written = 0
        self._connection = connection
        self._is_full = is_full
        self._writes = False

    def __enter__(self) -> Self:
        self._connection.execute("BEGIN")
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self._connection.execute("COMMIT")
        elif self._connection.in_transaction:  # a full disk has ended it
            self._connection.execute("ROLLBACK")

    def update(self, asked: Step) -> Answer:
        """Apply a change to a record. One that raises ValueError keeps no other from the file."""
        known = tables.record_of(self._connection, asked.change.tenant, asked.key)
        try:
            outcome = asked.change.apply(known)
        except ValueError as error:
            return Answer(None, error)
        if outcome.record == known:
            return Answer(outcome.result)
        if not self._may_write(asked):
            return self.update(asked)
        self._write(asked, outcome)
        return Answer(outcome.result)

    def _may_write(self, asked: Step) -> bool:
        """Sweep, by which the file is ours; False = somebody has written since we began, and all is to be read anew.

        To wait for another writer, nothing may have been read (SQLITE_BUSY_SNAPSHOT).
        """
        tenant, now = asked.change.tenant, _ANY_TIME if self._is_full else asked.change.now
        try:
            tables.sweep(self._connection, tenant, now)
        except sqlite3.OperationalError as error:
            if self._writes or error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
                raise
            self._connection.execute("ROLLBACK")
            self._connection.execute("BEGIN IMMEDIATE")
            self._writes = True
            return False
        self._writes = True
        return True

    def _write(self, asked: Step, outcome: Outcome[Any]) -> None:
        tenant = asked.change.tenant
        if outcome.record is None:
            tables.drop(self._connection, tenant, (asked.key,))
        else:
            tables.put(self._connection, tenant, asked.key, outcome.record, outcome.expires)
        self.written += 1
