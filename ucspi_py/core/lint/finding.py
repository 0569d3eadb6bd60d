"""What lint finds wrong with rules source, and how it is shown. Never decides anything."""

import re
from typing import NamedTuple

from ..text import shown

#: What some editors put before the first line.
MARK = "\ufeff".encode()
#: Characters of a text that a sentence quotes at most: the rest of the sentence still fits on a line of a terminal.
_BRIEF = 80
_MARKUP = re.compile(rb"</?[A-Za-z][^<>]*>|&(?:[a-z]+|#[0-9]{1,7});")


class Finding(NamedTuple):
    """One thing wrong with a source.

    line, column: where, from 1, in characters. meant: the lines that its author most likely had in mind, if that can
    be found out. error: tcprules refuses the line; otherwise it is a warning.
    """

    line: int
    column: int
    sentence: str
    meant: tuple[str, ...] = ()
    error: bool = False

    def __str__(self) -> str:
        meant = f"; likely meant: {' and '.join(self.meant)}" if self.meant else ""
        return f"line {self.line}, column {self.column}: {self.sentence}{meant}"


class Flaw(NamedTuple):
    """One thing wrong with one line, or with its address or its instructions alone.

    offset: where, in bytes from the beginning of what was looked at. meant: what should stand there instead.
    error: tcprules refuses the line.
    """

    offset: int
    sentence: str
    meant: tuple[bytes, ...] = ()
    error: bool = False


def finding(number: int, line: bytes, flaw: Flaw) -> Finding:
    """Place a flaw of a whole line in its source. number: of the line, from 1."""
    column = len(line[: flaw.offset].decode("utf-8", "replace")) + 1
    return Finding(number, column, flaw.sentence, tuple(map(shown, flaw.meant)), flaw.error)


def brief(text: bytes) -> str:
    """Decode bytes for a sentence: as shown(), and of a long text only the beginning."""
    told = shown(text[: _BRIEF + 1])
    return told if len(told) <= _BRIEF else told[:_BRIEF] + "..."


def markup_flaw(text: bytes, place: str) -> Flaw | None:
    """Find the first piece of HTML in a text; None where there is none. place: what the text is, for the sentence."""
    found = _MARKUP.search(text)
    if not found:
        return None
    import html  # for a rare line, and not for every start of the compiler

    def typed(piece: re.Match[bytes]) -> bytes:
        is_tag = piece[0].startswith(b"<")
        return b"" if is_tag else html.unescape(piece[0].decode("ascii")).encode("latin-1", "replace")

    return Flaw(found.start(), f"HTML ({brief(found[0])}) stands in the {place}", (_MARKUP.sub(typed, text),))
