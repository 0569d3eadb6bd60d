"""What stands between brackets in an expression of PCRE2 -> a set of bytes."""

import re

from . import bytesets
from .pcre_escapes import escaped
from .scanner import Scanner, Unknown, said

_CLASS = re.compile(rb"\[:(\^?)([^\]:]*):\]")
#: What looks like the beginning of a class, and has no end of one.
_NO_CLASS = re.compile(rb"\[[:.=][^\]\[:.=\\]*\]")
_BACKSPACE = 8


def bracket(scanner: Scanner, is_caseless: bool) -> frozenset[int]:
    """Read up to the closing bracket. Raises Unknown."""
    if _CLASS.match(scanner.text, scanner.position - 1):
        raise Unknown("a class stands in two pairs of brackets, as in [[:alpha:]]")
    is_negated = scanner.take_if(b"^")
    members = set[int](_members(scanner))
    while not scanner.take_if(b"]"):
        members |= _members(scanner)
    found = bytesets.caseless(members) if is_caseless else frozenset(members)
    return bytesets.ALL - found if is_negated else found


def _members(scanner: Scanner) -> frozenset[int]:
    """A class, a byte, or a range of bytes."""
    first = _one(scanner)
    is_range = scanner.peek() == b"-" and scanner.peek(2) != b"-]"
    if not is_range:
        return frozenset((first,)) if isinstance(first, int) else first
    scanner.take()
    last = _one(scanner)
    if not isinstance(first, int) or not isinstance(last, int):
        raise Unknown(r"a - between brackets stands beside a class; it is written \-")
    if last < first:
        raise Unknown("a range between brackets has its ends the wrong way round")
    return frozenset(range(first, last + 1))


def _one(scanner: Scanner) -> int | frozenset[int]:
    if scanner.peek(2) in (b"[:", b"[.", b"[=") and not _NO_CLASS.match(scanner.text, scanner.position):
        return _class(scanner)
    byte = scanner.take()
    if not byte:
        raise Unknown("a [ has no ]")
    if byte != b"\\":
        return byte[0]
    letter = scanner.take()
    return _BACKSPACE if letter == b"b" else escaped(scanner, letter)


def _class(scanner: Scanner) -> frozenset[int]:
    found = scanner.take_match(_CLASS)
    if not found or found[2] not in bytesets.PERL:
        raise Unknown(f"{said(found[0] if found else scanner.peek(12))} is no class of bytes")
    members = bytesets.PERL[found[2]]
    return bytesets.ALL - members if found[1] else members
