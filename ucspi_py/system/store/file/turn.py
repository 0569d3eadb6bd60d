"""One turn at an SQLite file: from its first change on nobody else writes, until its end. Never opens the file."""

import sqlite3
from collections.abc import Callable
from typing import Any, NamedTuple

from ....core.store.change import Outcome, Script, Step
from . import sqlite_tables as tables

_ANY_TIME = 1 << 62


class Answer(NamedTuple):
    """What became of one change, or of a script. error: why there is no result; None = there is one."""

    result: Any
    error: Exception | None = None


class Turn:
    """Changes, all that are written in one transaction. All methods raise sqlite3.Error.

    connection: to the file, in no transaction; whoever has it commits what the turn has begun, or rolls it back.
    is_full: tells, in no transaction, whether records that expire first have to go. written: records so far.
    """

    def __init__(self, connection: sqlite3.Connection, is_full: Callable[[], bool]) -> None:
        self.written = 0
        self._connection = connection
        self._look = is_full
        self._is_full = False

    def play(self, script: Script[Any]) -> Answer:
        """Play a script to its end -> the answer that it comes to. Its ValueError keeps no other script from its."""
        state = _next(script)
        while isinstance(state, Step):
            state = _next(script, self._update(state))
        return state

    def _update(self, asked: Step) -> Answer:
        """Apply a change to a record. Before the first that is written, another process may have changed it."""
        known = tables.record_of(self._connection, asked.change.tenant, asked.key)
        try:
            outcome = asked.change.apply(known)
        except ValueError as error:
            return Answer(None, error)
        if outcome.record == known:
            return Answer(outcome.result)
        if not self._connection.in_transaction:
            self._begin()
            return self._update(asked)
        self._write(asked, outcome)
        return Answer(outcome.result)

    def _begin(self) -> None:
        self._is_full = self._look()
        self._connection.execute("BEGIN IMMEDIATE")

    def _write(self, asked: Step, outcome: Outcome[Any]) -> None:
        key, change = asked
        tables.sweep(self._connection, change.tenant, _ANY_TIME if self._is_full else change.now)
        if outcome.record is None:
            tables.drop(self._connection, change.tenant, (key,))
        else:
            tables.put(self._connection, change.tenant, key, outcome.record, outcome.expires)
        self.written += 1


def _next(script: Script[Any], answer: Answer | None = None) -> Step | Answer:
    """The next step of a script, or what it has come to. answer: to its last step; None = it begins."""
    try:
        if answer is None:
            return next(script)
        return script.throw(answer.error) if answer.error else script.send(answer.result)
    except StopIteration as end:
        return Answer(end.value)
    except ValueError as error:
        return Answer(None, error)
