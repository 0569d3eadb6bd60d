"""What a tenant of the store brings: how its records are kept, and the changes made to them. Never has a store.

A change is written twice: as a pure function, which SQLite's keeper calls within one transaction, and as Lua, which a
Redis server runs as one command. tests/system/test_store_twins.py holds both equal.
"""

from dataclasses import dataclass
from typing import Any, ClassVar, Generic, Protocol, TypeVar

T_co = TypeVar("T_co", covariant=True)

#: A record as SQLite has it: the values of a tenant's columns, in their order.
Row = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Tenant:
    """How one kind of records is kept.

    SQLite: table and key name the table and its key column; columns are the others, as CREATE TABLE has them; version
    is the number of that layout. Redis: tag ends the name of each key; old_prefix, before the network, was the whole
    name before there were tags, and is still read; None = there was none.
    """

    table: str
    key: str
    columns: tuple[str, ...]
    version: int
    tag: str
    old_prefix: str | None = None


@dataclass(frozen=True, slots=True)
class Outcome(Generic[T_co]):
    """What a change makes of a record.

    result: for whoever asked. record: what is kept from now on. expires: the last second since 1970 for which that
    means anything.
    """

    result: T_co
    record: Row
    expires: int


class Change(Protocol[T_co]):
    """A named operation on one record, with its arguments; a frozen value.

    lua: the body of ``function change(text, argv)``. text is the record as Redis has it, false = none; argv are the
    arguments as text. It returns the answer, an integer, the record from now on, and its life in seconds; or
    nothing where the text is no record of this tenant.
    """

    tenant: ClassVar[Tenant]
    lua: ClassVar[str]

    @property
    def now(self) -> int:
        """Seconds since 1970: what has expired before may be swept away."""

    @property
    def arguments(self) -> tuple[int | str, ...]:
        """Those of the Lua."""

    @property
    def without_store(self) -> T_co:
        """The result where the store cannot be asked."""

    def apply(self, record: Row | None, /) -> Outcome[T_co]:
        """Change a record; None = there is none."""

    def result(self, answer: int, /) -> T_co:
        """Read the answer of the Lua."""


def redis_keys(tenant: Tenant, network: str) -> tuple[str, ...]:
    """The names of a record's key: the one to write, and the one to read where that is missing, if there was one.

    The braces make all keys of one network neighbours in a Redis cluster, so that one script may touch them.
    """
    key = f"u1:{{{network}}}:{tenant.tag}"
    return (key,) if tenant.old_prefix is None else (key, tenant.old_prefix + network)
