"""One line of tcprules source -> its records, or an error that shows the line (tcprules.c, main and doaddressdata).

Never reads a file and never judges whether a rule is wise.
"""

import re
from collections.abc import Iterator
from functools import lru_cache

from .errors import UnparsableLine

#: ``,NAME=qVALUEq`` where q is any one byte; there is no escape.
_VARIABLE = re.compile(rb",([^=]*=)(.)(.*?)\2", re.DOTALL)
_ULONG = 1 << 64


def records(line: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield the (key, data) records of one source line, in the order tcprules writes them.

    line: with or without its newline. A comment, an empty line or a line without a colon has no records.
    Raises UnparsableLine with tcprules' sentence; for a bad range, after the records before it.
    """
    if line.startswith(b"#"):
        return
    line = line.rstrip(b"\n \t")
    address, colon, rest = line.partition(b":")
    if not colon:
        return
    data = _data(rest)
    keys = None if data is None else _keys(address)
    if data is None or keys is None:
        raise _unparsable(line)
    for key in keys:
        yield key, data


@lru_cache(maxsize=64)
def _data(rest: bytes) -> bytes | None:
    """``deny,VAR="x"`` -> the record's data; None when it is not in the language."""
    if rest.startswith(b"deny"):
        data, rest = b"D\0", rest[4:]
    elif rest.startswith(b"allow"):
        data, rest = b"", rest[5:]
    else:
        return None
    while rest:
        variable = _VARIABLE.match(rest)
        if not variable:
            return None
        data += b"+" + variable[1] + variable[3] + b"\0"
        rest = rest[variable.end() :]
    return data


def _keys(address: bytes) -> tuple[bytes, ...] | None:
    """An address -> its keys, a range expanded; None when a range's end is not a number."""
    if b"-" not in address or b"=" in address or b"@" in address:
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
    shown = line.partition(b"\0")[0].decode("utf-8", "surrogateescape")
    return UnparsableLine(f"unable to parse this line: {shown}")
