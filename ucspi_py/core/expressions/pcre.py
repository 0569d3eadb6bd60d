"""Perl expressions as PCRE2 10.42 reads them -> re. Never guesses: what is not known is refused.

Case is folded by comparing capitals with capitals, which is faster than re.IGNORECASE. Where an expression changes its
mind about case, letters are written in both instead.
"""

import re
from typing import NamedTuple

from . import bytesets
from .pcre_brackets import bracket
from .pcre_escapes import ASSERTIONS, SEQUENCES, escaped
from .scanner import DEPTH_LIMIT, Repeat, Scanner, Translated, Unknown, repeat, said

_BRACES = re.compile(rb"\{(\d+)(,?)(\d*)\}")
_FLAGS = re.compile(rb"\?([imsx]*)(?:-([imsx]*))?([:)])")
_COMMENT = re.compile(rb"\(\?#[^)]*\)")
_EXTENDED = re.compile(rb"(?:\s|#[^\n]*)+")
_LOOK = re.compile(rb"\?(?:<?[=!])")
_NAMED = re.compile(rb"\?(?:P?<(\w+)>|'(\w+)')")
_AGAIN = re.compile(rb"(?:k(?:<(\w+)>|'(\w+)'|\{(\w+)\})|g(?:\{(-?\d+)\}|(-?\d+))|([1-9])(?!\d))")
_EDGES = {b"[[:<:]]": rb"\b(?=\w)", b"[[:>:]]": rb"\b(?<=\w)"}


class Flags(NamedTuple):
    """What letters behind an expression, or within it, switch on."""

    i: bool = True
    m: bool = False
    s: bool = True
    x: bool = False


class _ChangesCase(Exception):
    """The expression is not of one mind about case."""


def translate(text: bytes, flags: Flags, *, is_anchored: bool, ends_only: bool) -> Translated:
    """Translate an expression.

    is_anchored: it stands at the beginning. ends_only: ``$`` does not stand before the last newline. Raises Unknown.
    """
    try:
        reader = _Reader(text, flags, flags.i, ends_only)
        found = reader.all()
    except _ChangesCase:
        reader = _Reader(text, flags, False, ends_only)
        found = reader.all()
    begins = found.startswith(rb"\A") and not reader.has_alternatives
    return Translated(found, reader.folds, is_anchored or begins)


class _Reader:
    """folds: the text is in capitals, and so is what is written. flags: as they are where it reads."""

    def __init__(self, text: bytes, flags: Flags, folds: bool, ends_only: bool) -> None:
        self._scanner = Scanner(text)
        self._flags = flags
        self.folds = folds
        self._ends_only = ends_only
        self.has_alternatives = False
        self._groups = 0
        self._closed = set[int]()

    def all(self) -> bytes:
        found = self._alternatives(0)
        if not self._scanner.is_done:
            raise Unknown("a ) has no (")
        return found

    def _alternatives(self, depth: int) -> bytes:
        if depth > DEPTH_LIMIT:
            raise Unknown("groups stand too deep within groups")
        outer, written = self._flags, []
        while not self._scanner.is_done and self._scanner.peek() != b")":
            is_next = self._scanner.take_if(b"|")
            self.has_alternatives |= is_next and not depth
            written.append(b"|" if is_next else self._item(depth))
        self._flags = outer
        return b"".join(written)

    def _item(self, depth: int) -> bytes:
        """Read an atom and its repeat, an assertion, or what stands for nothing."""
        if self._scanner.take_match(_COMMENT) or (self._flags.x and self._scanner.take_match(_EXTENDED)):
            return b""
        atom = self._assertion()
        if atom:
            self._refuse_repeat()
            return atom
        before, atom = self._quoted() if self._scanner.take_if(rb"\Q") else (b"", self._atom(depth))
        return before + (atom + self._repeated() if atom else b"")

    def _assertion(self) -> bytes:
        scanner = self._scanner
        if scanner.take_if(b"^"):
            # In PCRE a last newline begins no line.
            return rb"(?:\A|(?<=\n)(?!\Z))" if self._flags.m else rb"\A"
        if scanner.take_if(b"$"):
            return b"(?m:$)" if self._flags.m else rb"\Z" if self._ends_only else b"$"
        edge = _EDGES.get(scanner.peek(7), b"")
        if edge:
            scanner.take_if(scanner.peek(7))
            return edge
        return scanner.take_escape(ASSERTIONS)

    def _atom(self, depth: int) -> bytes:
        byte = self._scanner.take()
        if byte == b"(":
            return self._group(depth)
        if byte == b"[":
            return bytesets.written(bracket(self._scanner, self._flags.i))
        if byte == b".":
            return b"." if self._flags.s else rb"[^\n]"
        if byte == b"\\":
            return self._escaped()
        if byte in b"+*?" or (byte == b"{" and _BRACES.match(self._scanner.text, self._scanner.position - 1)):
            raise Unknown(f"'{said(byte)}' has nothing before it that can be repeated")
        return self._literal(byte)

    def _group(self, depth: int) -> bytes:
        scanner = self._scanner
        head = b"("
        if scanner.peek() == b"*":
            raise Unknown("(* is not translated")
        if scanner.peek() != b"?":
            return self._captured(head, depth)
        named = scanner.take_match(_NAMED)
        if named:
            return self._captured(b"(?P<%b>" % (named[1] or named[2]), depth)
        look = scanner.take_match(_LOOK)
        if look:
            found = b"(%b%b" % (look[0], self._rest(depth))
            self._refuse_repeat()
            return found
        flags = scanner.take_match(_FLAGS)
        if not flags or b"xx" in flags[0]:
            raise Unknown(f"({said(scanner.peek(3) if not flags else flags[0])} is not translated")
        outer = self._flags
        self._switch(flags[1], flags[2] or b"")
        if flags[3] == b")":
            return b""
        found = b"(?:" + self._rest(depth)
        self._flags = outer
        return found

    def _captured(self, head: bytes, depth: int) -> bytes:
        self._groups += 1
        number = self._groups
        found = head + self._rest(depth)
        self._closed.add(number)
        return found

    def _rest(self, depth: int) -> bytes:
        inside = self._alternatives(depth + 1)
        if not self._scanner.take_if(b")"):
            raise Unknown("a ( has no )")
        return inside + b")"

    def _switch(self, on: bytes, off: bytes) -> None:
        named = {letter: letter in on.decode() for letter in (on + off).decode() if letter not in off.decode()}
        named |= dict.fromkeys(off.decode(), False)
        flags = self._flags._replace(**named)
        if flags.i != self._flags.i and self.folds:
            raise _ChangesCase
        self._flags = flags

    def _escaped(self) -> bytes:
        again = self._scanner.take_match(_AGAIN)
        if again:
            return self._again(again)
        letter = self._scanner.take()
        if letter == b"E":
            return b""
        if letter == b"N" and self._scanner.peek() == b"{":
            raise Unknown(r"\N{ is not translated")
        if letter in SEQUENCES:
            return SEQUENCES[letter]
        found = escaped(self._scanner, letter)
        return self._literal(bytes([found])) if isinstance(found, int) else bytesets.written(found)

    def _again(self, found: re.Match[bytes]) -> bytes:
        """A group's text once more."""
        if self._flags.i and not self.folds:
            raise Unknown("a group is to come once more, in an expression that changes the meaning of case")
        name = found[1] or found[2] or found[3]
        if name:
            return b"(?P=%b)" % name
        number = int((found[4] or found[5] or found[6])[:4])
        number = self._groups + 1 + number if number < 0 else number
        if number not in self._closed:
            raise Unknown(f"{said(self._scanner.text[found.start() - 1 : found.end()])} is no group before it")
        return b"(?:\\%d)" % number

    def _quoted(self) -> tuple[bytes, bytes]:
        """Read what is between \\Q and \\E -> all but the last byte, which may be repeated, and that."""
        text, _, rest = self._scanner.text[self._scanner.position :].partition(rb"\E")
        self._scanner.position = len(self._scanner.text) - len(rest)
        written = [self._literal(text[at : at + 1]) for at in range(len(text))]
        return b"".join(written[:-1]), b"".join(written[-1:])

    def _literal(self, byte: bytes) -> bytes:
        if self.folds:
            return re.escape(byte.upper())
        if self._flags.i and byte.isalpha():
            return b"[%b%b]" % (byte.upper(), byte.lower())
        return re.escape(byte)

    def _repeated(self) -> bytes:
        if self._flags.x:
            self._scanner.take_match(_EXTENDED)
        found = self._repeat()
        if not found:
            return b""
        if self._scanner.peek() == b"+":
            raise Unknown("a + behind a repeat, which then gives nothing back, is not translated")
        lazy = b"?" if self._scanner.take_if(b"?") else b""
        self._refuse_repeat()
        return found.written + lazy

    def _repeat(self) -> Repeat | None:
        short = self._scanner.take_short()
        if short:
            return short
        found = self._scanner.take_match(_BRACES)
        return repeat(found[1], found[3], bool(found[2])) if found else None

    def _refuse_repeat(self) -> None:
        """Nothing may be repeated here."""
        if self._repeat():
            raise Unknown("there is a repeat behind a repeat, or behind what stands for no bytes")
