"""Tables of ``key value`` lines (postmap.c, dict_thash.c): texthash, and the source of hash, btree, lmdb and cdb."""

import re
from collections.abc import Iterator
from typing import NamedTuple

from .lines import logical_lines
from .table import Flaw

#: A key as postmap ends it: a backslash takes the next byte with it, blanks between quotes belong to it.
_KEY = re.compile(rb'(?:\\(?:.|\Z)|"(?:\\(?:.|\Z)|[^"\\])*"|[^\s"\\])*', re.DOTALL)


class Record(NamedTuple):
    """A key, in small letters, and its value. line: its number."""

    line: int
    key: bytes
    value: bytes


class IndexedTable(NamedTuple):
    """Keys and values. Of a key that comes twice the first one counts."""

    values: dict[bytes, bytes]
    flaws: tuple[Flaw, ...]

    def get(self, key: bytes) -> bytes | None:
        """Find the value of a key, whatever its case."""
        return self.values.get(key.lower())


def indexed_table(text: bytes) -> IndexedTable:
    """Read the source of a table; a line that postmap passes over is passed over, with a flaw that is no error."""
    values = dict[bytes, bytes]()
    flaws = list[Flaw]()
    for record in records(text):
        if isinstance(record, Flaw):
            flaws.append(record)
        elif values.setdefault(record.key, record.value) is not record.value:
            flaws.append(Flaw(record.line, "the key has been there before, and the first one counts", is_error=False))
    return IndexedTable(values, tuple(flaws))


def records(text: bytes) -> Iterator[Record | Flaw]:
    """Yield the records of a source, also those whose key has been there before, and what is wrong with the others."""
    for number, line in logical_lines(text):
        key, value = _halves(line)
        flaw = _flaw(line, key, value)
        if flaw:
            yield Flaw(number, flaw, is_error=False)
            continue
        if key.endswith(b":"):
            yield Flaw(number, "the colon belongs to the key, unlike in a file of aliases", is_error=False)
        yield Record(number, key.lower(), value)


def _halves(line: bytes) -> tuple[bytes, bytes]:
    if b"\\" in line or b'"' in line:
        found = _KEY.match(line)
        end = found.end() if found else 0
        return line[:end], line[end:].lstrip()
    halves = line.split(None, 1)
    return halves[0], halves[1] if len(halves) == 2 else b""


def _flaw(line: bytes, key: bytes, value: bytes) -> str:
    if line[:1].isspace():
        return "a blank at its start continues a line, and there is none"
    if b"\0" in line:
        return "there is a zero byte"
    if line[len(key) : len(key) + 1] == b'"':
        return 'there is one " without another'
    return "" if value else "there is a key and no value behind it"
