"""The tables of an SQLite file: each statement about a tenant's records. Never opens the file, never decides."""

import sqlite3
from functools import cache

from ...core.store.change import Row, Tenant

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
_GET = "SELECT * FROM {table} WHERE {key} = ?"
_NEXT = "SELECT * FROM {table} WHERE {key} > ? ORDER BY {key} LIMIT ?"
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


def record_of(connection: sqlite3.Connection, tenant: Tenant, key: str) -> Row | None:
    """The record of a key, without the key and the time when it expires."""
    row: Row | None = connection.execute(_about(tenant, _GET), (_kept(tenant, key),)).fetchone()
    return row[1:-1] if row else None


def page(connection: sqlite3.Connection, tenant: Tenant, after: str | None) -> list[tuple[str, Row]]:
    """The records behind a key, by their keys, each with its own; no more than are read at once. after: None = all."""
    rows = connection.execute(_about(tenant, _NEXT), (_kept(tenant, after or ""), _ROWS)).fetchall()
    return [(row[0].hex() if tenant.has_hex_keys else row[0], row[1:-1]) for row in rows]


def put(connection: sqlite3.Connection, tenant: Tenant, key: str, record: Row, expires: int) -> None:
    """Keep a record. expires: the last second since 1970 for which it means anything."""
    connection.execute(_about(tenant, _PUT), (_kept(tenant, key), *record, expires))


def drop(connection: sqlite3.Connection, tenant: Tenant, key: str) -> None:
    """Forget a record, if there is one."""
    connection.execute(_about(tenant, _DROP), (_kept(tenant, key),))


def sweep(connection: sqlite3.Connection, tenant: Tenant, now: int) -> None:
    """Forget two of those that have expired. now: seconds since 1970."""
    connection.execute(_about(tenant, _SWEEP), (now,))


def _kept(tenant: Tenant, key: str) -> str | bytes:
    """A key as the file has it. Raises ValueError for none of the tenant's."""
    return bytes.fromhex(key) if tenant.has_hex_keys else key


@cache
def _about(tenant: Tenant, statement: str) -> str:
    """A statement about the table of a tenant."""
    marks = ", ".join("?" * (len(tenant.columns) + 2))
    kind = "BLOB" if tenant.has_hex_keys else "TEXT"
    names = {"table": tenant.table, "key": tenant.key, "type": kind, "columns": ", ".join(tenant.columns)}
    return statement.format(**names, marks=marks)
