"""Two tables of rules -> the rules that changed. Compares what decides, not where it stands in a file."""

from collections.abc import Iterator
from typing import NamedTuple, Protocol

from . import ipv6 as rules_ipv6
from .data import without_provenance
from .source import Record


class Table(Protocol):
    """Compiled rules. get: gives the first value of a key, None = no such rule. records: yields all, in their order."""

    def get(self, key: bytes) -> bytes | None: ...

    def records(self) -> Iterator[Record]: ...


class Change(NamedTuple):
    """A key whose value changed. old, new: the values, None where there is no such rule."""

    key: bytes
    old: bytes | None
    new: bytes | None


def changes(old: Table, new: Table) -> Iterator[Change]:
    """Compare two tables: yield the rules that are gone or changed, in the old one's order, then the new ones.

    Provenance is no difference. Raises what the tables do.
    """
    seen = {rules_ipv6.LENGTHS}
    for key, _ in old.records():
        before, after = _said(old, key), _said(new, key)
        if before != after and key not in seen:
            seen.add(key)
            yield Change(key, before, after)
    for key, _ in new.records():
        if old.get(key) is None and key not in seen:
            seen.add(key)
            yield Change(key, None, _said(new, key))


def _said(table: Table, key: bytes) -> bytes | None:
    """The first value under a key; the others never decide."""
    value = table.get(key)
    return None if value is None else without_provenance(value)
