"""Tenants of a store that count: as simple as a record and its change can be."""

from dataclasses import dataclass, replace
from typing import ClassVar

from ucspi_py.core.store.change import Outcome, Row, Tenant

NOW = 1_800_000_000


@dataclass(frozen=True, slots=True)
class Count:
    """One more of something; it asks no more than it must of a store."""

    tenant: ClassVar[Tenant] = Tenant(
        table="counts",
        key="name",
        columns=("count INTEGER NOT NULL",),
        version=1,
        tag="n",
        parse=lambda text: (int(text),),
        old_prefix="old:",
    )
    lua: ClassVar[str] = "local count = (text or 0) + argv[2]; return count, string.format('%d', count), 100"

    step: int
    now: int = NOW

    @property
    def arguments(self) -> tuple[int, ...]:
        """The time, and by how much."""
        return self.now, self.step

    @property
    def without_store(self) -> int:
        """Nobody knows."""
        return -1

    def apply(self, record: Row | None, /) -> Outcome[int]:
        """As the Lua."""
        count = (record[0] if record else 0) + self.step
        return Outcome(count, (count,), self.now + 99)

    def result(self, answer: int, /) -> int:
        """The count."""
        return answer


@dataclass(frozen=True, slots=True)
class HashCount(Count):
    """The same under keys that are hashes."""

    tenant: ClassVar[Tenant] = replace(Count.tenant, table="hashes", tag="h", old_prefix=None, has_hex_keys=True)


@dataclass(frozen=True, slots=True)
class NeighbourCount(Count):
    """The same under hashes that are neighbours where they begin with the same byte."""

    tenant: ClassVar[Tenant] = replace(HashCount.tenant, table="pairs", tag="p", neighbourhood=lambda key: key[:2])
