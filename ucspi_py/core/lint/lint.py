"""Lint of a whole rules source: lines that never match, or match the wrong client. Never changes what is compiled."""

import re
from collections.abc import Iterator

from .finding import Finding
from .runs import Block, PlainBlock, Unusual, addresses, numbered, sorted_out

#: A rule about a network, a range or IPv6.
_WIDE = re.compile(rb"[^:=@]*[/-]|[^:]*:[^,]*:")


def lint(text: bytes) -> list[Finding]:
    """Lint rules source: find everything wrong with it, in the order of its lines. text: the whole source."""
    pieces = sorted_out(text)
    odd = list(numbered([piece for piece in pieces if isinstance(piece, Unusual)]))
    findings: list[Finding] = []
    if odd:
        from .line import line_findings

        findings.extend(finding for number, line in odd for finding in line_findings(number, line))
    heads = _suspicious(pieces, [line for _, line in odd])
    if heads:
        from .table import table_findings

        findings.extend(table_findings(list(_rules_about(pieces, heads))))
    return sorted(findings)


def _head(line: bytes) -> bytes | None:
    """The address of a line that may be a rule, as far as its first colon."""
    head, colon, _ = line.partition(b":")
    return None if line.startswith(b"#") or not colon else head


def _suspicious(pieces: list[Block], odd: list[bytes]) -> set[bytes]:
    """The addresses of rules that may leave another one nothing to decide, or be left with nothing.

    Where there are networks, ranges, or narrower rules all through one of djb's prefixes, these are all addresses;
    otherwise those that repeat.
    """
    heads = [head for line in odd if (head := _head(line)) is not None]
    for piece in pieces:
        if isinstance(piece, PlainBlock):
            heads += addresses(piece.rules())
    known = set(heads)
    if any(map(_WIDE.match, odd)) or _is_filled(heads, known):
        return known
    return _repeated(heads) if len(known) < len(heads) else set()


def _rules_about(pieces: list[Block], heads: set[bytes]) -> Iterator[tuple[int, bytes]]:
    """Yield the rules with one of these addresses, and their numbers."""
    for piece in pieces:
        lines = piece.lines()
        if isinstance(piece, PlainBlock) and piece.rules() is piece.text:
            found: list[bytes] | list[bytes | None] = addresses(piece.text)
        else:
            found = [_head(line) for line in lines]
        numbers = enumerate(lines, piece.first)
        yield from (one for one, head in zip(numbers, found, strict=True) if head in heads)


def _repeated(heads: list[bytes]) -> set[bytes]:
    seen: set[bytes] = set()
    repeated: set[bytes] = set()
    for head in heads:
        (repeated if head in seen else seen).add(head)
    return repeated


def _is_filled(heads: list[bytes], known: set[bytes]) -> bool:
    """Whether narrower rules may cover all of a prefix, as 10.1.0. to 10.1.255. cover 10.1."""
    joined = b":".join([*heads, b""])
    for dot in (b"", b"."):
        for piece in joined.split(b".255%b:" % dot)[:-1]:
            around = piece.rpartition(b":")[2] + b"."
            if {around, b"%b0%b" % (around, dot), b"%b128%b" % (around, dot)} <= known:
                return True
    return False
