"""Rules source divided into blocks of plain lines, which are surely fine, and the unusual lines between them.

Nearly all lines of nearly all sources are fine. One regular expression recognises them, thousands at a time, and they
are taken apart as fast; only what is left is looked at line by line. Never judges what is left.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

# No possessive quantifiers: CPython before 3.11.5 matches too little with them (gh-106052). What follows each piece
# here cannot begin like it, so that nothing is tried twice all the same.
_FIRST = rb"(?:1[0-9]{0,2}|2(?:[01][0-9]?|2[0-3]?|[3-9])?|[3-9][0-9]?)"
_OCTET = rb"(?:1[0-9]{0,2}|2(?:[0-4][0-9]?|5[0-5]?|[6-9])?|[3-9][0-9]?|0)"
_ADDRESS = rb"%b\.%b\.(?:%b\.(?:%b)?)?" % (_FIRST, _OCTET, _OCTET, _OCTET)
_VARIABLES = rb'(?:,(?!MAXCONN|MAXLOAD|DATABYTES)[A-Z][A-Z0-9_]*="[ !#-~]*")*'
_NAME = rb"=\.?[a-z][a-z0-9-]*(?:\.[a-z0-9-]+)*"
#: Lines that are matched at once: the expression keeps a mark for each until all are.
_AT_ONCE = 1000
#: A line has no flaw of its own and one record, or is a comment or empty. A wide RELAYCLIENT is a flaw, also by name;
#: so are addresses from 224.0.0.0 on, variables of a denied client, and numbers that are none.
_FINE = re.compile(
    rb"(?:(?:%b:(?:deny|allow%b)|(?:%b\.|%b):(?:deny|allow)|#[^\n]*|)\n){0,%d}"
    % (_ADDRESS, _VARIABLES, _FIRST, _NAME, _AT_ONCE)
)
_NO_RULE = re.compile(rb"(?:\A|(?<=\n))(?:#[^\n]*)?\n")
_BEHIND_ADDRESS = re.compile(rb":[^\n]*\n")


class PlainBlock(NamedTuple):
    """Fine lines that follow each other. first: the number of the first one. text: with all newlines."""

    first: int
    text: bytes

    def lines(self) -> list[bytes]:
        """The lines without their newlines."""
        return self.text.split(b"\n")[:-1]

    def rules(self) -> bytes:
        """The text without comments and empty lines."""
        if b"#" in self.text or b"\n\n" in self.text or self.text.startswith(b"\n"):
            return _NO_RULE.sub(b"", self.text)
        return self.text


class Unusual(NamedTuple):
    """Other lines that follow each other, without newlines. first: the number of the first one."""

    first: int
    text: list[bytes]

    def lines(self) -> list[bytes]:
        """The lines without their newlines."""
        return self.text


Block = PlainBlock | Unusual


def sorted_out(text: bytes) -> list[Block]:
    """Divide a source into blocks, in its order."""
    text = text if text.endswith(b"\n") else text + b"\n"
    pieces: list[Block] = []
    odd: list[bytes] = []
    number, start = 1, 0
    while start < len(text):
        end = _end_of_fine(text, start)
        if end > start:
            odd = []
            pieces.append(PlainBlock(number, text[start:end]))
            number += text.count(b"\n", start, end)
        if end < len(text):
            newline = text.index(b"\n", end)
            if not odd:
                pieces.append(Unusual(number, odd))
            odd.append(text[end:newline])
            number += 1
            end = newline + 1
        start = end
    return pieces


def _end_of_fine(text: bytes, start: int) -> int:
    end = start
    while (found := _FINE.match(text, end)) and found.end() > end:
        end = found.end()
    return end


def addresses(rules: bytes) -> list[bytes]:
    """List what stands before the colons of a block's rules."""
    return _BEHIND_ADDRESS.split(rules)[:-1]


def numbered(pieces: list[Block]) -> Iterator[tuple[int, bytes]]:
    """Yield every line of some blocks with its number, from 1."""
    for piece in pieces:
        yield from enumerate(piece.lines(), piece.first)
