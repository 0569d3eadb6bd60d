"""An expression as it is read, and what is said where one is not known. Never decides what it means."""

import re
from collections.abc import Mapping
from typing import NamedTuple

from ..text import shown

#: Groups within groups.
DEPTH_LIMIT = 50
REPEAT_LIMIT = 32767


class Unknown(ValueError):
    """Something in an expression that is not translated. Its text is a sentence for the operator."""


class Translated(NamedTuple):
    """An expression for re.

    expression: to be compiled with re.DOTALL. folds: it has capital letters alone, and is compared with a key in
    capitals. is_anchored: it can match at the beginning only. is_ambiguous: POSIX may choose another alternative, and
    so another text for ``$1``.
    """

    expression: bytes
    folds: bool
    is_anchored: bool
    is_ambiguous: bool = False


class Repeat(NamedTuple):
    """How often an atom comes. least, most: so many times; most: None = any number."""

    least: int
    most: int | None

    @property
    def written(self) -> bytes:
        """As re reads it."""
        short = {(0, None): b"*", (1, None): b"+", (0, 1): b"?"}.get((self.least, self.most))
        if short:
            return short
        return b"{%d,%b}" % (self.least, b"" if self.most is None else b"%d" % self.most)


#: Repeats that are one sign.
SHORT = {b"*": Repeat(0, None), b"+": Repeat(1, None), b"?": Repeat(0, 1)}


class Scanner:
    """The bytes of an expression, and how far it has been read."""

    def __init__(self, text: bytes) -> None:
        self.text = text
        self.position = 0

    @property
    def is_done(self) -> bool:
        """Whether all has been read."""
        return self.position >= len(self.text)

    def peek(self, length: int = 1) -> bytes:
        """The next bytes. length: how many; fewer at the end."""
        return self.text[self.position : self.position + length]

    def take(self) -> bytes:
        """Read a byte; b"" at the end."""
        byte = self.peek()
        self.position += len(byte)
        return byte

    def take_if(self, text: bytes) -> bool:
        """Read a text, if it comes next."""
        if self.peek(len(text)) != text:
            return False
        self.position += len(text)
        return True

    def take_match(self, pattern: re.Pattern[bytes]) -> re.Match[bytes] | None:
        """Read what a pattern matches, if it comes next."""
        found = pattern.match(self.text, self.position)
        if found:
            self.position = found.end()
        return found

    def take_short(self) -> Repeat | None:
        """Read a repeat of one sign, if it comes next."""
        found = SHORT.get(self.peek())
        self.position += found is not None
        return found

    def take_escape(self, known: Mapping[bytes, bytes]) -> bytes:
        """Read a backslash and a letter, if they come next -> what is known of the letter; b"" = nothing."""
        found = known.get(self.peek(2)[1:], b"") if self.peek() == b"\\" else b""
        self.position += 2 if found else 0
        return found


def repeat(least: bytes, most: bytes, is_range: bool) -> Repeat:
    """Read the numbers of ``{n}``, ``{n,}`` and ``{n,m}``. Raises Unknown."""
    low = int(least[:6] or b"0")
    high = (int(most[:6]) if most else None) if is_range else low
    if max(low, high or 0) > REPEAT_LIMIT:
        raise Unknown(f"a number between braces is above {REPEAT_LIMIT}")
    if high is not None and high < low:
        raise Unknown(f"{{{low},{high}}} has its numbers the wrong way round")
    return Repeat(low, high)


def said(text: bytes) -> str:
    """A piece of an expression for a sentence."""
    return shown(text[:40])
