"""The words of a run script as a shell divides them, without a shell. Never says what they mean.

What only a shell knows stays in its word, marked.
"""

import os
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

from ..core.errors import Failure, unable
from .chain import program

#: The server, in whose name its words are.
TCPSERVER = "pytcpserver"
#: djb's programs, and ours in their place.
_OURS = {
    "tcpserver": TCPSERVER,
    TCPSERVER: TCPSERVER,
    "rblsmtpd": program.RBLSMTPD,
    program.RBLSMTPD: program.RBLSMTPD,
}
_MENTIONED = re.compile(
    r"""(?:^|[\s/"'])(?:(?:py)?(?:tcpserver|rblsmtpd)|pygreylist|pyrelay|pysmtpgate)(?:[\s"'\\]|$)"""
)

#: A shell's tokens: an escaped character, a quotation, a comment, a command whose output it takes; or a character that
#: it expands.
_SHELL = re.compile(
    r"""\\.|'[^']*'|"(?:\\.|[^"\\])*"|(?:^|(?<=\s))\#[^\n]*|`[^`]*`|\$\([^()]*\)|[$`]""", re.DOTALL | re.MULTILINE
)
_IN_QUOTES = re.compile(r"\\.|[$`]", re.DOTALL)
#: What stands for $ and ` where a shell would put something else in their place, and in a command of one word for what
#: would divide it.
_SIGNS, _MARKS = "$` \t\n\"'", "\x1a\x1b\x1c\x1d\x1e\x11\x12"
_MARK = str.maketrans(_SIGNS, _MARKS)
_UNMARK = str.maketrans(_MARKS, _SIGNS)
_EXPANSION = re.compile("[\x1a\x1b]")


def read(file: str) -> str:
    """Read a script. file: the path. Raises Failure."""
    try:
        return Path(file).read_text(encoding="utf-8", errors="surrogateescape")
    except OSError as error:
        raise unable(f"read {file}", error) from None


def words(file: str, text: str) -> list[str]:
    """Divide a script into words, those of sh -c '...' too; djb's programs have our names, without a folder.

    file: its name, for a message. text: all of it. Raises Failure for a quotation without an end.
    """
    try:
        return list(_words(text))
    except ValueError as error:  # of shlex
        raise Failure(f"unable to read {file}: {str(error).lower()}") from None


def is_unknown(word: str) -> bool:
    """Whether only a shell knows what a word is."""
    return _EXPANSION.search(word) is not None


def written(word: str) -> str:
    """Show a word, or a sentence with some, as its author wrote it."""
    return word.translate(_UNMARK)


def _words(text: str) -> Iterator[str]:
    for word in shlex.split(_SHELL.sub(_marked, text.replace("\\\n", " ")), comments=True):
        name = os.path.basename(word)
        if name in _OURS:
            yield _OURS[name]
        elif re.search(r"\s", word) and _MENTIONED.search(word):
            yield from _words(word)
        else:
            yield word


def _marked(found: re.Match[str]) -> str:
    piece = found[0]
    if piece.startswith('"'):
        return _IN_QUOTES.sub(lambda part: part[0].translate(_MARK) if len(part[0]) == 1 else part[0], piece)
    return piece.translate(_MARK) if piece[0] in "$`" else piece
