"""Sets of bytes: the classes of POSIX and Perl, and how one is written for re. Never reads an expression."""

from collections.abc import Iterable

ALL = frozenset(range(256))


def _of(text: bytes) -> frozenset[int]:
    return frozenset(text)


_UPPER = _of(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ")
_LOWER = _of(b"abcdefghijklmnopqrstuvwxyz")
_DIGIT = _of(b"0123456789")
_ALNUM = _UPPER | _LOWER | _DIGIT
_GRAPH = frozenset(range(0x21, 0x7F))
_SPACE = _of(b" \t\n\r\f\v")

#: The classes of POSIX in its C locale, and two that Perl has beside them.
POSIX = {
    b"alpha": _UPPER | _LOWER,
    b"upper": _UPPER,
    b"lower": _LOWER,
    b"digit": _DIGIT,
    b"alnum": _ALNUM,
    b"xdigit": _DIGIT | _of(b"abcdefABCDEF"),
    b"space": _SPACE,
    b"blank": _of(b" \t"),
    b"punct": _GRAPH - _ALNUM,
    b"graph": _GRAPH,
    b"print": _GRAPH | _of(b" "),
    b"cntrl": frozenset((*range(0x20), 0x7F)),
}
PERL = {**POSIX, b"word": _ALNUM | _of(b"_"), b"ascii": frozenset(range(128))}

_SMALL = {
    b"d": _DIGIT,
    b"s": _SPACE,
    b"w": _ALNUM | _of(b"_"),
    b"h": _of(b" \t\xa0"),
    b"v": _of(b"\n\v\f\r\x85"),
}
#: What stands behind a backslash for a set (pcre2pattern(3)).
ESCAPED = {**_SMALL, **{letter.upper(): ALL - members for letter, members in _SMALL.items()}}


def caseless(members: Iterable[int]) -> frozenset[int]:
    """Add the other case of each letter of ASCII. members: bytes."""
    known = bytes(members)
    return frozenset(known + known.swapcase())


def written(members: frozenset[int]) -> bytes:
    """Write a set as re reads it. members: bytes."""
    if not members:
        return b"(?!)"
    outside = ALL - members
    if not outside:
        return b"[\\x00-\\xff]"
    if len(outside) < len(members):
        return b"[^%b]" % _ranges(outside)
    return b"[%b]" % _ranges(members)


def _ranges(members: frozenset[int]) -> bytes:
    parts = []
    for first in sorted(byte for byte in members if byte - 1 not in members):
        last = first
        while last + 1 in members:
            last += 1
        parts.append(b"\\x%02x" % first if first == last else b"\\x%02x-\\x%02x" % (first, last))
    return b"".join(parts)
