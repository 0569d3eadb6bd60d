"""A whole rules source -> everything in it that cannot bite, or bites the wrong one. Never changes what is compiled.

Nearly all lines of nearly all sources are fine. They are recognised by one regular expression, thousands at a time;
only what is left is looked at line by line.
"""

import re
from typing import NamedTuple

from .lint_finding import Finding

_OCTET = rb"(?:1[0-9]{0,2}+|2(?:[0-4][0-9]?+|5[0-5]?+|[6-9])?+|[3-9][0-9]?+|0)"
_ADDRESS = rb"%b\.%b\.(?:%b\.(?:%b)?+)?+" % (_OCTET, _OCTET, _OCTET, _OCTET)
_VARIABLES = rb'(?:,[A-Z][A-Z0-9_]*+="[ !#-~]*+")*+'
_NAME = rb"=\.?+[a-z][a-z0-9-]*+(?:\.[a-z0-9-]++)*+"
#: A run of lines that surely have no flaw of their own. A wide RELAYCLIENT has, and so has one by name.
_FINE = re.compile(
    rb"(?:(?:%b:(?:deny|allow)%b|(?:%b\.|%b):(?:deny|allow)|\#[^\n]*+|)\n)*+" % (_ADDRESS, _VARIABLES, _OCTET, _NAME)
)
_BEHIND_ADDRESS = re.compile(rb":[^\n]*+\n")
#: A rule about a network, a range or IPv6.
_WIDE = re.compile(rb"[^:=@]*[/-]|[^:]*:[^,]*:")


class _Run(NamedTuple):
    """Fine lines that follow each other. first: the number of the first one. addresses: one a line, maybe empty."""

    first: int
    addresses: list[bytes]


def lint(text: bytes) -> list[Finding]:
    """Everything wrong with a source, in the order of its lines."""
    runs, odd = _sorted_out(text if text.endswith(b"\n") else text + b"\n")
    findings: list[Finding] = []
    if odd:
        from .lint_line import line_findings

        findings.extend(finding for number, line in odd for finding in line_findings(number, line))
    suspects = _suspects(runs, odd)
    if suspects:
        from .lint_table import table_findings

        findings.extend(table_findings(suspects))
    return sorted(findings)


def _sorted_out(text: bytes) -> tuple[list[_Run], list[tuple[int, bytes]]]:
    """The runs of fine lines, and the other lines with their numbers."""
    runs = []
    odd = []
    number, start = 1, 0
    while start < len(text):
        fine = _FINE.match(text, start)
        end = fine.end() if fine else start
        if end > start:
            runs.append(_Run(number, _addresses(text[start:end])))
            number += len(runs[-1].addresses)
        start = end
        if end < len(text):
            start = text.index(b"\n", end) + 1
            odd.append((number, text[end : start - 1]))
            number += 1
    return runs, odd


def _addresses(run: bytes) -> list[bytes]:
    """The address of each fine line; nothing for a comment or an empty line."""
    if b"#" in run or b"\n\n" in run or run.startswith(b"\n"):
        return [b"" if line.startswith(b"#") else line.partition(b":")[0] for line in run.split(b"\n")[:-1]]
    return _BEHIND_ADDRESS.split(run)[:-1]


def _suspects(runs: list[_Run], odd: list[tuple[int, bytes]]) -> list[tuple[int, bytes]]:
    """The rules that may leave another one nothing to decide, or be left with nothing: numbers and lines.

    Of a fine line only the address. Where there are networks, ranges, or narrower rules all through one of djb's
    prefixes, these are all rules; otherwise those whose addresses repeat.
    """
    odd = [(number, line) for number, line in odd if b":" in line and not line.startswith(b"#")]
    heads = [line.partition(b":")[0] for _, line in odd]
    addresses = [address for run in runs for address in run.addresses if address] + heads
    known = set(addresses)
    if any(_WIDE.match(line) for _, line in odd) or _is_filled(addresses, known):
        suspicious = known
    elif len(known) < len(addresses):
        suspicious = _repeated(addresses)
    else:
        return []
    suspects = [one for one, head in zip(odd, heads, strict=True) if head in suspicious]
    for run in runs:
        numbered = enumerate(run.addresses, run.first)
        suspects.extend((number, address) for number, address in numbered if address and address in suspicious)
    return sorted(suspects)


def _repeated(addresses: list[bytes]) -> set[bytes]:
    seen: set[bytes] = set()
    repeated: set[bytes] = set()
    for address in addresses:
        (repeated if address in seen else seen).add(address)
    return repeated


def _is_filled(addresses: list[bytes], known: set[bytes]) -> bool:
    """Whether narrower rules may cover all of a prefix, as 10.1.0. to 10.1.255. cover 10.1."""
    joined = b":".join([*addresses, b""])
    for dot in (b"", b"."):
        for piece in joined.split(b".255%b:" % dot)[:-1]:
            around = piece.rpartition(b":")[2] + b"."
            if {around, b"%b0%b" % (around, dot), b"%b128%b" % (around, dot)} <= known:
                return True
    return False
