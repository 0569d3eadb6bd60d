"""tcprules source, line by line -> records, or an error that shows the line (tcprules.c, main and doaddressdata).

Never reads a file and never judges whether a rule is wise.
"""

import re
from collections.abc import Iterable, Iterator

from ..errors import UnparsableLine
from ..numbers import scan_ulong

_WORDS = {b"allow": b"", b"deny": b"D\0"}
_NUMBERS = tuple(b"%d" % number for number in range(256))
#: A byte is looked for as a number: that is five times as fast, and there may be 300,000 lines.
_DASH = ord("-")
_BLANKS = b"\n \t"
#: Nearly all variables are set in "quotes": for those two replacements do what the loop of _data does, in less time.
_COMMON = re.compile(rb'allow,((?:[^="]+="[^="]*",)*[^="]+="[^="]*)"').fullmatch
#: Instructions whose data is kept: most rules of a large file have one of a few.
_KNOWN_LIMIT = 1000


def records(lines: Iterable[bytes]) -> Iterator[tuple[bytes, bytes]]:
    """Yield the (key, data) records of source lines, in the order in which tcprules writes them.

    lines: each with or without its newline. A comment, an empty line or a line without a colon has no records.
    Raises UnparsableLine with tcprules' sentence at the first line that is not in the language.
    """
    known: dict[bytes, bytes] = {}
    for line in lines:
        address, colon, rest = line.rstrip(_BLANKS).partition(b":")
        if not colon or address[:1] == b"#":
            continue
        data = known.get(rest)
        if data is None:
            data = _data(rest)
            if data is None:
                raise _unparsable(line)
            if len(known) < _KNOWN_LIMIT:
                known[rest] = data
        if _DASH not in address:
            yield address, data
            continue
        keys = _keys(address)
        if keys is None:
            raise _unparsable(line)
        for key in keys:
            yield key, data


def _data(rest: bytes) -> bytes | None:
    """``deny,VAR="x"`` -> the record's data; None when it is not in the language.

    The quote is whatever byte follows the equals sign, and there is no escape.
    """
    if common := _COMMON(rest):
        return b"+" + common[1].replace(b'="', b"=").replace(b'",', b"\0+") + b"\0"
    word = rest.partition(b",")[0]
    if word not in _WORDS:
        return None
    items = [_WORDS[word]]
    end = len(word)
    while end < len(rest):
        equals = rest.find(b"=", end)
        quote = rest[equals + 1 : equals + 2]
        closing = rest.find(quote, equals + 2)
        if not rest.startswith(b",", end) or equals < 0 or not quote or closing < 0:
            return None
        items.append(b"+%b=%b\0" % (rest[end + 1 : equals], rest[equals + 2 : closing]))
        end = closing + 1
    return b"".join(items)


def _keys(address: bytes) -> list[bytes] | None:
    """An address with a dash -> its keys, a range expanded; None when a range's end is not a number."""
    if b"=" in address or b"@" in address:
        return [address]
    before, _, after = address.partition(b"-")
    head, dot, low = before.rpartition(b".")
    high, rest_dot, rest = after.partition(b".")
    bottom, top = _number(low), _number(high)
    if bottom is None or top is None:
        return None
    left, right = head + dot, rest_dot + rest
    return [left + number + right for number in _NUMBERS[bottom : top + 1]]


def _number(digits: bytes) -> int | None:
    """scan_ulong over the whole of a C string: it ends at NUL, nothing is 0, 64 bits wrap."""
    digits = digits.partition(b"\0")[0]
    return None if digits.strip(b"0123456789") else scan_ulong(digits)


def _unparsable(line: bytes) -> UnparsableLine:
    shown = line.rstrip(_BLANKS).partition(b"\0")[0].decode("utf-8", "surrogateescape")
    return UnparsableLine(f"unable to parse this line: {shown}")
