"""What a tenant of the store brings: how its records are kept, and the changes made to them. Never has a store.

A change is written twice: as a pure function, which SQLite's keeper calls within one transaction, and as Lua, which a
Redis server runs as one command. tests/system/test_store_twins.py holds both equal.
"""

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, NamedTuple, Protocol, TypeVar

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

#: A record as SQLite has it: the values of a tenant's columns, in their order.
Row = tuple[Any, ...]


class Kept(NamedTuple):
    """A record as one who looks at a store finds it. expires: the last second since 1970 for which it means anything.

    It may have expired and not be swept away yet.
    """

    key: str
    row: Row
    expires: int


#: Some records, and what to ask for the next ones with; None = that was all.
Page = tuple[list[Kept], str | None]


@dataclass(frozen=True, slots=True, eq=False)
class Tenant:
    """How one kind of records is kept.

    SQLite: table and key name the table and its key column; columns are the others, as CREATE TABLE has them; version
    is the number of that layout; has_hex_keys: keys are an even number of lower-case hex digits, kept as half as many
    bytes. Redis: tag stands in the name of each key; parse reads a record as it is written
    there, and raises ValueError for what is none; old_prefix, before the network, was the whole name before there were
    tags, and is still read; None = there was none. neighbourhood: the network of a key; None = each key is a network.
    """

    table: str
    key: str
    columns: tuple[str, ...]
    version: int
    tag: str
    parse: Callable[[bytes], Row]
    old_prefix: str | None = None
    neighbourhood: Callable[[str], str] | None = None
    has_hex_keys: bool = False


@dataclass(frozen=True, slots=True)
class Outcome(Generic[T_co]):
    """What a change makes of a record.

    result: for whoever asked. record: what is kept from now on; None = nothing. expires: the last second since 1970
    for which that means anything.
    """

    result: T_co
    record: Row | None
    expires: int


class Change(Protocol[T_co]):
    """A named operation on one record, with its arguments; a frozen value.

    lua: the body of ``function change(text, argv)``. text is the record as Redis has it, false = none; argv are the
    arguments as text. It returns the answer, an integer, the record from now on, '' = none, and its life in seconds;
    the answer alone leaves all as it is; or nothing where the text is no record of this tenant.
    """

    tenant: ClassVar[Tenant]
    lua: ClassVar[str]

    @property
    def now(self) -> int:
        """Seconds since 1970: what has expired before may be swept away."""

    @property
    def arguments(self) -> tuple[int | str, ...]:
        """Those of the Lua. The first is now, in the place of which a server may have its own time."""

    @property
    def without_store(self) -> T_co:
        """The result where the store cannot be asked."""

    def apply(self, record: Row | None, /) -> Outcome[T_co]:
        """Change a record; None = there is none."""

    def result(self, answer: int, /) -> T_co:
        """Read the answer of the Lua."""


class Step(NamedTuple):
    """A change that is to be applied to the record of a key."""

    key: str
    change: Change[Any]


#: Changes one after the other, each of which may hang on the results of those before: steps out, their results in, and
#: what it returns is the result of all.
Script = Generator[Step, Any, T]


def single(key: str, change: Change[T]) -> Script[T]:
    """Make a script of one change."""
    result: T = yield Step(key, change)
    return result


def redis_keys(tenant: Tenant, key: str) -> tuple[str, ...]:
    """The names of a record's key: the one to write, and the one to read where that is missing, if there was one.

    The braces make all keys of one network neighbours in a Redis cluster, so that one script may touch them. The one of
    an older release has none.
    """
    name = redis_name(tenant, tenant.neighbourhood(key), key) if tenant.neighbourhood else redis_name(tenant, key)
    return (name,) if tenant.old_prefix is None else (name, tenant.old_prefix + key)


def redis_name(tenant: Tenant, network: str, key: str | None = None) -> str:
    """Build a name. key: None = it is the network."""
    return f"u1:{{{network}}}:{tenant.tag}" + ("" if key is None else f":{key}")


def redis_pattern(tenant: Tenant, prefix: str) -> str:
    """Build what SCAN finds the keys by that begin so. prefix: "" = all of the tenant."""
    beginning = "".join(f"\\{letter}" if letter in "*?[]\\" else letter for letter in prefix) + "*"
    return redis_name(tenant, "*", beginning) if tenant.neighbourhood else redis_name(tenant, beginning)


def key_of(tenant: Tenant, name: str) -> str:
    """Take the key out of a name that redis_name() has built."""
    network, _, key = name.removeprefix("u1:{").partition(f"}}:{tenant.tag}")
    return key[1:] if tenant.neighbourhood else network
