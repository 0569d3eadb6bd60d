"""tcprules source, line by line -> records, or an error that shows the line (tcprules.c, main and doaddressdata).

Never reads a file and never judges whether a rule is wise.
"""

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache

from .errors import UnparsableLine

_WORDS = {b"allow": b"", b"deny": b"D\0"}
#: ``,NAME=qVALUEq`` where q is any one byte; there is no escape.
_VARIABLE = re.compile(rb",([^=]*=)(.)(.*?)\2", re.DOTALL)
#: As a number, because looking for a number in bytes is five times as fast; there may be 300,000 lines.
_DASH = ord("-")
_ULONG = 1 << 64


def records(lines: Iterable[bytes]) -> Iterator[tuple[bytes, bytes]]:
    """Yield the (key, data) records of source lines, in the order in which tcprules writes them.

    lines: each with or without its newline. A comment, an empty line or a line without a colon has no records.
    Raises UnparsableLine with tcprules' sentence once it comes to a line that is not in the language.
    """
    for line in lines:
        address, colon, rest = line.rstrip(b"\n \t").partition(b":")
        if not colon or address[:1] == b"#":
            continue
        data = _data(rest)
        if data is None:
            raise _unparsable(line)
        if _DASH not in address:
            yield address, data
            continue
        keys = _keys(address)
        if keys is None:
            raise _unparsable(line)
        for key in keys:
            yield key, data


@lru_cache(maxsize=64)
def _data(rest: bytes) -> bytes | None:
    """``deny,VAR="x"`` -> the record's data; None when it is not in the language."""
    word = rest.partition(b",")[0]
    data = _WORDS.get(word)
    if data is None:
        return None
    position = len(word)
    while position < len(rest):
        variable = _VARIABLE.match(rest, position)
        if not variable:
            return None
        data += b"+%b%b\0" % variable.group(1, 3)
        position = variable.end()
    return data


def _keys(address: bytes) -> tuple[bytes, ...] | None:
    """An address with a dash -> its keys, a range expanded; None when a range's end is not a number."""
    if b"=" in address or b"@" in address:
        return (address,)
    before, _, after = address.partition(b"-")
    head, dot, low = before.rpartition(b".")
    high, rest_dot, rest = after.partition(b".")
    bottom, top = _number(low), _number(high)
    if bottom is None or top is None:
        return None
    return tuple(b"%s%s%d%s%s" % (head, dot, n, rest_dot, rest) for n in range(bottom, min(top, 255) + 1))


def _number(digits: bytes) -> int | None:
    """scan_ulong over the whole of a C string: it ends at NUL, nothing is 0, 64 bits wrap."""
    digits = digits.partition(b"\0")[0]
    if digits and not digits.isdigit():
        return None
    number = 0
    for digit in digits:
        number = (number * 10 + digit - ord("0")) % _ULONG
    return number


def _unparsable(line: bytes) -> UnparsableLine:
    shown = line.rstrip(b"\n \t").partition(b"\0")[0].decode("utf-8", "surrogateescape")
    return UnparsableLine(f"unable to parse this line: {shown}")
