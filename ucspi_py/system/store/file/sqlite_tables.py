"""The tables of an SQLite file: each statement about a tenant's records. Never opens the file, never decides."""

import sqlite3
from collections.abc import Sequence
from functools import cache

from ....core.store.change import Kept, Page, Row, Tenant

#: Records that are read at once.
_ROWS = 1000
#: For each tenant. Columns are never added here: another layout is another version, and a step that leads to it.
_TABLE = """
CREATE TABLE IF NOT EXISTS {table} ({key} {type} PRIMARY KEY, {columns}, expires INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS {table}_expires ON {table} (expires);
CREATE TABLE IF NOT EXISTS schema_version (name TEXT PRIMARY KEY, version INTEGER NOT NULL) WITHOUT ROWID;
"""
_VERSION = "SELECT version FROM schema_version WHERE name = ?"
_SET_VERSION = "INSERT OR IGNORE INTO schema_version VALUES (?, ?)"
_IS_THERE = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?"
_GET = "SELECT * FROM {table} WHERE {key} = ?"
_NEXT = "SELECT * FROM {table} WHERE {key} >= ? AND {key} < ? ORDER BY {key} LIMIT ?"
#: No key begins with any of these.
_LAST_BYTES, _LAST_TEXT = b"\xff" * 64, "\U0010ffff"
_PUT = "REPLACE INTO {table} VALUES ({marks})"
_DROP = "DELETE FROM {table} WHERE {key} = ?"
#: With every write: two go where one comes, so the file never holds much that is dead, and no sweep takes long.
_SWEEP = "DELETE FROM {table} WHERE {key} IN (SELECT {key} FROM {table} WHERE expires < ? ORDER BY expires LIMIT 2)"


def take_over(connection: sqlite3.Connection, tenant: Tenant) -> None:
    """Make the table of a tenant, or take over one of before there were versions, whose layout was the first."""
    connection.executescript(_about(tenant, _TABLE))
    found = connection.execute(_VERSION, (tenant.table,)).fetchone()
    if found is None:
        connection.execute(_SET_VERSION, (tenant.table, tenant.version))
    elif found[0] != tenant.version:
        raise sqlite3.DatabaseError(f"table {tenant.table} has layout {found[0]} of another release")


def is_there(connection: sqlite3.Connection, tenant: Tenant) -> bool:
    """Whether the file has a table of the tenant."""
    return connection.execute(_IS_THERE, (tenant.table,)).fetchone() is not None


def record_of(connection: sqlite3.Connection, tenant: Tenant, key: str) -> Row | None:
    """The record of a key, without the key and the time when it expires."""
    row: Row | None = connection.execute(_about(tenant, _GET), (_kept(tenant, key),)).fetchone()
    return row[1:-1] if row else None


def found(connection: sqlite3.Connection, tenant: Tenant, keys: Sequence[str]) -> list[Kept]:
    """The records of some keys; those that there are."""
    rows = (connection.execute(_about(tenant, _GET), (_kept(tenant, key),)).fetchone() for key in keys)
    return [_found(tenant, row) for row in rows if row]


def page(connection: sqlite3.Connection, tenant: Tenant, after: str | None, prefix: str) -> Page:
    """The next records whose keys begin so, by their keys, and the last key; None = that was all.

    after: the last key of those before; None = there were none.
    """
    rows = connection.execute(_about(tenant, _NEXT), (*_bounds(tenant, after, prefix), _ROWS)).fetchall()
    some = [_found(tenant, row) for row in rows]
    return some, some[-1].key if some else None


def put(connection: sqlite3.Connection, tenant: Tenant, key: str, record: Row, expires: int) -> None:
    """Keep a record. expires: the last second since 1970 for which it means anything."""
    connection.execute(_about(tenant, _PUT), (_kept(tenant, key), *record, expires))


def drop(connection: sqlite3.Connection, tenant: Tenant, keys: Sequence[str]) -> int:
    """Forget the records of some keys; how many there were."""
    return connection.executemany(_about(tenant, _DROP), [(_kept(tenant, key),) for key in keys]).rowcount


def sweep(connection: sqlite3.Connection, tenant: Tenant, now: int) -> None:
    """Forget two of those that have expired. now: seconds since 1970."""
    connection.execute(_about(tenant, _SWEEP), (now,))


def _found(tenant: Tenant, row: Row) -> Kept:
    return Kept(row[0].hex() if tenant.has_hex_keys else row[0], row[1:-1], row[-1])


def _kept(tenant: Tenant, key: str) -> str | bytes:
    """A key as the file has it. Raises ValueError for none of the tenant's."""
    return bytes.fromhex(key) if tenant.has_hex_keys else key


def _bounds(tenant: Tenant, after: str | None, prefix: str) -> tuple[str, str] | tuple[bytes, bytes]:
    """The first key that may come, and one behind the last."""
    lowest = prefix if after is None else after
    if tenant.has_hex_keys:
        return bytes.fromhex(lowest) + b"\0" * (after is not None), bytes.fromhex(prefix) + _LAST_BYTES
    return lowest + "\0" * (after is not None), prefix + _LAST_TEXT


@cache
def _about(tenant: Tenant, statement: str) -> str:
    """A statement about the table of a tenant."""
    marks = ", ".join("?" * (len(tenant.columns) + 2))
    kind = "BLOB" if tenant.has_hex_keys else "TEXT"
    names = {"table": tenant.table, "key": tenant.key, "type": kind, "columns": ", ".join(tenant.columns)}
    return statement.format(**names, marks=marks)
