"""POSIX extended expressions as glibc's regcomp(3) reads them -> re. Never guesses: what is not known is refused.

glibc folds case by comparing capitals with capitals, the expression's with the text's; so does the translation.
"""

import re

from . import bytesets
from .scanner import DEPTH_LIMIT, SHORT, Repeat, Scanner, Translated, Unknown, repeat, said

_ASSERTIONS = {b"b": rb"\b", b"B": rb"(?!\b)", b"<": rb"\b(?=\w)", b">": rb"\b(?<=\w)", b"`": rb"\A", b"'": rb"\Z"}
_SETS = (b"w", b"W", b"s", b"S")
_BRACES = re.compile(rb"\{(\d*)(,?)(\d*)\}")
_CLASS = re.compile(rb"\[:([^\]]*):\]")


def translate(text: bytes, *, folds: bool, by_lines: bool) -> Translated:
    """Translate an expression.

    folds: capitals and small letters are the same. by_lines: REG_NEWLINE, ``^`` and ``$`` stand at lines, too, and
    nothing but a newline itself matches one. Raises Unknown.
    """
    reader = _Reader(text, folds, by_lines)
    expression = reader.alternatives(0)
    is_anchored = expression.startswith(rb"\A") and not reader.has_alternatives
    return Translated(expression, folds, is_anchored, reader.is_ambiguous)


class _Reader:
    def __init__(self, text: bytes, folds: bool, by_lines: bool) -> None:
        self._scanner = Scanner(text)
        self._folds = folds
        self._by_lines = by_lines
        self.has_alternatives = False
        self.is_ambiguous = False

    def alternatives(self, depth: int) -> bytes:
        """Read up to the end of a group, or of all at depth 0."""
        if depth > DEPTH_LIMIT:
            raise Unknown("groups stand too deep within groups")
        branches = [b""]
        while not self._scanner.is_done:
            if depth and self._scanner.peek() == b")":
                break
            if self._scanner.take_if(b"|"):
                branches.append(b"")
            else:
                branches[-1] += self._item(depth)
        self.has_alternatives |= len(branches) > 1 and not depth
        before = enumerate(branches)
        self.is_ambiguous |= any(later.startswith(one) for at, one in before for later in branches[at + 1 :])
        return b"|".join(branches)

    def _item(self, depth: int) -> bytes:
        """Read an atom and its repeats, or an assertion."""
        assertion = self._assertion()
        if not assertion:
            return self._repeated(self._atom(depth))
        if self._scanner.peek() and self._scanner.peek() in b"+*?{":
            raise Unknown(f"'{said(self._scanner.peek())}' has nothing before it that can be repeated")
        return assertion

    def _assertion(self) -> bytes:
        if self._scanner.take_if(b"^"):
            return b"(?m:^)" if self._by_lines else rb"\A"
        if self._scanner.take_if(b"$"):
            return b"(?m:$)" if self._by_lines else rb"\Z"
        return self._scanner.take_escape(_ASSERTIONS)

    def _atom(self, depth: int) -> bytes:
        byte = self._scanner.take()
        if byte == b"(":
            return self._group(depth)
        if byte == b"[":
            return bytesets.written(self._bracket())
        if byte == b".":
            return rb"[^\n]" if self._by_lines else b"."
        if byte == b"\\":
            return self._escaped()
        if byte in b"+*?{":
            raise Unknown(f"'{said(byte)}' has nothing before it that can be repeated")
        return self._literal(byte)

    def _group(self, depth: int) -> bytes:
        if self._scanner.peek() == b"?":
            raise Unknown("(? is known to pcre only")
        inside = self.alternatives(depth + 1)
        if not self._scanner.take_if(b")"):
            raise Unknown("a ( has no )")
        return b"(%b)" % inside

    def _escaped(self) -> bytes:
        byte = self._scanner.take()
        if not byte:
            raise Unknown(r"there is nothing behind the last \ of it")
        if byte in _SETS:
            return b"\\" + byte
        if byte.isalnum():
            raise Unknown(f"\\{said(byte)} is known to pcre only")
        return self._literal(byte)

    def _literal(self, byte: bytes) -> bytes:
        return re.escape(byte.upper() if self._folds else byte)

    def _repeated(self, atom: bytes) -> bytes:
        """Read the repeats behind an atom. ``*?`` is a repeat of a repeat here, and nothing is lazy."""
        simple: Repeat | None = None
        while found := self._repeat():
            if simple and found in SHORT.values():
                simple = Repeat(simple.least * found.least, 1 if simple.most == found.most == 1 else None)
                continue
            if simple:
                atom, simple = b"(?:%b%b)" % (atom, simple.written), None
            if found in SHORT.values():
                simple = found
            else:
                atom = b"(?:%b%b)" % (atom, found.written)
        return atom + simple.written if simple else atom

    def _repeat(self) -> Repeat | None:
        short = self._scanner.take_short()
        if short:
            return short
        if self._scanner.peek() != b"{":
            return None
        found = self._scanner.take_match(_BRACES)
        if not found or not (found[1] or found[3]):
            raise Unknown(r"a { has no numbers and } behind it; a brace is written \{")
        return repeat(found[1], found[3], bool(found[2]))

    def _bracket(self) -> frozenset[int]:
        """Read what is in brackets, where a backslash is a backslash."""
        scanner = self._scanner
        if scanner.text[scanner.position - 1 :].startswith(b"[:") and _CLASS.match(scanner.text, scanner.position - 1):
            raise Unknown("a class stands in two pairs of brackets, as in [[:alpha:]]")
        is_negated = scanner.take_if(b"^")
        members = set[int]()
        is_first = True
        while is_first or not scanner.take_if(b"]"):
            members |= self._members(is_first)
            is_first = False
        if is_negated:
            return bytesets.ALL - members - (frozenset(b"\n") if self._by_lines else frozenset())
        return frozenset(members)

    def _members(self, is_first: bool) -> frozenset[int]:
        scanner = self._scanner
        if scanner.peek(2) in (b"[:", b"[.", b"[="):
            return self._class()
        if not is_first and scanner.peek() == b"-" and scanner.peek(2) != b"-]":
            raise Unknown("a - between brackets is neither the first nor the last, nor between two ends")
        first = self._member()
        if scanner.peek() != b"-" or scanner.peek(2) == b"-]":
            return frozenset(range(first, first + 1))
        scanner.take()
        if scanner.peek(2) in (b"[:", b"[.", b"[="):
            raise Unknown("a range between brackets ends in a class")
        last = self._member()
        if last < first:
            raise Unknown("a range between brackets has its ends the wrong way round")
        return frozenset(range(first, last + 1))

    def _member(self) -> int:
        byte = self._scanner.take()
        if not byte:
            raise Unknown("a [ has no ]")
        return (byte.upper() if self._folds else byte)[0]

    def _class(self) -> frozenset[int]:
        found = self._scanner.take_match(_CLASS)
        name = found[1] if found else b""
        if self._folds and name in (b"upper", b"lower"):
            name = b"alpha"
        if name not in bytesets.POSIX:
            raise Unknown(f"{said(self._scanner.peek(12) if not found else found[0])} is no class of bytes")
        return bytesets.POSIX[name]
