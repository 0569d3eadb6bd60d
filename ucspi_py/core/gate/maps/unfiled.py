"""Tables that stand in main.cf itself: inline and static (dict_inline.c, dict_static.c)."""

import re
from collections.abc import Iterator
from typing import NamedTuple

from .indexed import IndexedTable
from .table import Flaw

_BLANKS_AND_COMMAS = b", \t\r\n"
#: split_qnameval.c: the key ends at a blank or at the sign of equality, outside quotes.
_PAIR = re.compile(rb'\s*((?:\\.|"(?:\\.|[^"\\])*"|[^\s"\\=])*)\s*=\s*(.*?)\s*', re.DOTALL)


class StaticTable(NamedTuple):
    """The same value for every key."""

    value: bytes
    flaws: tuple[Flaw, ...] = ()

    def get(self, _key: bytes) -> bytes | None:
        """Find the value, unless it is wrong."""
        return None if self.flaws else self.value


def static_table(text: bytes) -> StaticTable:
    """Read what stands behind ``static:``; braces around it are taken off."""
    if not text.startswith(b"{"):
        return StaticTable(text)
    value = _inside(text)
    if value is None:
        return StaticTable(b"", (Flaw(0, "is not in one pair of braces"),))
    flaws = () if value.strip() else (Flaw(0, "has no value between the braces"),)
    return StaticTable(value.strip(), flaws)


def inline_table(text: bytes) -> IndexedTable:
    """Read what stands behind ``inline:``. Of a key that comes twice the last one counts."""
    inside = _inside(text)
    values = dict[bytes, bytes]()
    flaws = list[Flaw]()
    for word in _words(inside or b""):
        pair = _pair(word)
        if isinstance(pair, Flaw):
            flaws.append(pair)
        else:
            values[pair[0].lower()] = pair[1]
    if not values and not flaws:
        flaws.append(Flaw(0, "must be {key=value, ...}, with { } around a pair that has blanks or commas"))
    return IndexedTable(values, tuple(flaws))


def _pair(word: bytes) -> tuple[bytes, bytes] | Flaw:
    text = _inside(word) if word.startswith(b"{") else word
    found = _PAIR.fullmatch(text or b"")
    if not found:
        return Flaw(0, "has a pair that is not key=value, or not in one pair of braces")
    if not found[2]:
        return Flaw(0, "has a key without a value")
    return found[1], found[2]


def _inside(text: bytes) -> bytes | None:
    """What is in the braces that are around a whole text; None where they are not (balpar.c)."""
    depth = 0
    for position, byte in enumerate(text):
        depth += (byte == ord("{")) - (byte == ord("}"))
        if not depth:
            return text[1:position] if position and position + 1 == len(text) else None
    return None


def _words(text: bytes) -> Iterator[bytes]:
    """The words of a list; within braces nothing ends one (mystrtok.c, mystrtokq)."""
    word, depth = bytearray(), 0
    for byte in text:
        depth += (byte == ord("{")) - (byte == ord("}") and depth > 0)
        if depth == 0 and byte in _BLANKS_AND_COMMAS:
            yield from [bytes(word)] if word else []
            word.clear()
        else:
            word.append(byte)
    yield from [bytes(word)] if word else []
