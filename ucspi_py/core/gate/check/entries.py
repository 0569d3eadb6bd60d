"""What a table has, entry by entry, for whoever looks at all of it. Never reads a file."""

from collections.abc import Iterator
from typing import NamedTuple

from ...expressions.scanner import Unknown
from ...text import shown
from ..maps.indexed import Record, records
from ..maps.lines import logical_lines
from ..maps.names import PATTERNS, UNFILED, Broken, MapName
from ..maps.patterns.rules import expression_and_value
from ..maps.unfiled import inline_table, static_table

#: The key of what every key gets.
ANY = b""


class Entry(NamedTuple):
    """A key, or an expression or a network that stands for keys, and its value. line: its number; 0 = it has none."""

    key: bytes
    value: bytes
    line: int = 0


Contents = tuple[Entry, ...] | Broken


def entries(kind: str, source: bytes) -> tuple[Entry, ...]:
    """Read the entries of a table; what is wrong in it is left out.

    kind: one of names.KINDS but cdb, which has no text. source: what the file says, or what stands behind ``inline:``
    or ``static:``. A pattern's key is the expression between its signs.
    """
    if kind == "static":
        return (Entry(ANY, static_table(source).value),)
    if kind == "inline":
        return tuple(Entry(key, value) for key, value in inline_table(source).values.items())
    return tuple(_patterns(source) if kind in PATTERNS else _networks(source) if kind == "cidr" else _keys(source))


def of_unfiled(name: MapName) -> Contents:
    """The entries of a table without a file; of another one, that it was not read."""
    if name.kind in UNFILED:
        return entries(name.kind, name.path_or_text.encode("utf-8", "surrogateescape"))
    return Broken(f"table {name} was not read")


def told(entry: Entry) -> str:
    """Name an entry for a sentence."""
    key = shown(entry.key) if entry.key != ANY else "any key"
    return f"{key} in line {entry.line}" if entry.line else key


def _keys(source: bytes) -> Iterator[Entry]:
    seen: set[bytes] = set()
    for one in records(source):
        if isinstance(one, Record) and one.key not in seen:
            seen.add(one.key)
            yield Entry(one.key, one.value, one.line)


def _networks(source: bytes) -> Iterator[Entry]:
    for number, line in logical_lines(source):
        network, *value = line.split(None, 1)
        if value and network.lower() != b"if":
            yield Entry(network, value[0], number)


def _patterns(source: bytes) -> Iterator[Entry]:
    for number, line in logical_lines(source):
        try:
            expression, value = expression_and_value(line)
        except Unknown:
            continue
        if value:
            yield Entry(expression, value, number)
