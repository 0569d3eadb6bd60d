"""Records of a compiled file -> the source that compiles to them. Never guesses: a record without source is None."""

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import NamedTuple

from ..errors import UnparsableLine
from ..text import shown
from . import ipv6 as rules_ipv6
from .data import provenance, without_provenance
from .source import Record, compiled

#: Keys that are their own address, without a look at what the compiler makes of them.
_PLAIN = re.compile(rb"(?:[0-9]{1,3}\.){1,3}(?:[0-9]{1,3})?|=[a-z0-9._-]*")
_NUMBER = re.compile(rb"(0|[1-9][0-9]?|1[0-9][0-9]|2[0-4][0-9]|25[0-5])(?=\.)")
#: The usual quotes first, then any byte that may stand in a line.
_QUOTES = [bytes([byte]) for byte in [*b"\"'/|!%+", *range(33, 127), *range(128, 256), *range(1, 10), *range(11, 33)]]


class Line(NamedTuple):
    """A record as source. text: None where no source compiles to it. source: ``tcp.smtp:12``, None = no provenance."""

    record: Record
    text: bytes | None
    source: bytes | None


def dump(records: Iterable[Record]) -> Iterator[Line]:
    """Yield a line for each record, in the same order, but for the IPv6 prefix lengths, which compiling adds."""
    for record in records:
        if record[0] != rules_ipv6.LENGTHS:
            yield dumped(record)


def dumped(record: Record) -> Line:
    """Decompile one record; its provenance stands beside the text."""
    key, value = record
    source, value = provenance(value), without_provenance(value)
    said = instructions_source(value)
    if said is None:
        return Line(record, None, source)
    if _PLAIN.fullmatch(key):
        return Line(record, key + b":" + said, source)
    for address in _addresses(key):
        line = address + b":" + said
        if b"\n" not in line and _compiles_to(line, (key, value)):
            return Line(record, line, source)
    return Line(record, None, source)


def rule_text(key: bytes, value: bytes) -> str:
    """Format a record for people: its source, or the key and the value where no source compiles to it."""
    line = dumped((key, value))
    return shown(key) + ": " + shown(value) if line.text is None else shown(line.text)


def instructions_text(value: bytes) -> str:
    """Format a record's instructions for people."""
    value = without_provenance(value)
    said = instructions_source(value)
    return shown(value if said is None else said)


def _addresses(key: bytes) -> Iterator[bytes]:
    """Yield what may be written for a key; a range of one number keeps the rest from being read as range or network."""
    network = rules_ipv6.from_key(key)
    yield rules_ipv6.text(network) if network else key
    for number in _NUMBER.finditer(key):
        yield key[: number.start()] + number[1] + b"-" + key[number.start() :]


@lru_cache(maxsize=256)
def instructions_source(value: bytes) -> bytes | None:
    """Decompile a value without provenance to what stands behind the colon; None where no source compiles to it."""
    verdict, items = (b"deny", value[2:]) if value.startswith(b"D\0") else (b"allow", value)
    variables: list[bytes] = []
    for item in items.removesuffix(b"\0").split(b"\0") if items else []:
        if item.startswith(b"+") and b"=" in item:
            variables.append(item[1:])
        elif variables:
            variables[-1] += b"\0" + item
        else:
            return None
    said = verdict + b"".join(b",%b=%b%b%b" % _quoted(variable) for variable in variables)
    return said if b"\n" not in said and _compiles_to(b":" + said, (b"", value)) else None


def _quoted(variable: bytes) -> tuple[bytes, bytes, bytes, bytes]:
    name, _, value = variable.partition(b"=")
    quote = next((quote for quote in _QUOTES if quote not in value), b"")
    return name, quote, value, quote


def _compiles_to(line: bytes, record: Record) -> bool:
    try:
        return next(compiled(line), None) == record
    except UnparsableLine:
        return False
