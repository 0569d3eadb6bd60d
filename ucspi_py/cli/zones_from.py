"""The zones of a run script, or of a list with one zone a line. Never queries them."""

import itertools
import os
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

from ..core.dnsbl import zone
from ..core.dnsbl.zone import Zone
from ..core.errors import AskedWrongly, Failure, unable
from ..core.service.settings import Program, ScreenSettings
from .chain import program

#: The programs behind which a run script has its zones.
_SCREENS = (program.RBLSMTPD, "rblsmtpd")
_SCREEN = re.compile(r"""(?:^|[\s/"'])(?:py)?rblsmtpd(?:[\s"'\\]|$)""")

#: A shell's tokens: an escaped character, a quotation, a comment; or a character that it expands.
_SHELL = re.compile(r"""\\.|'[^']*'|"(?:\\.|[^"\\])*"|(?:^|(?<=\s))\#[^\n]*|[$`]""", re.DOTALL | re.MULTILINE)
_IN_QUOTES = re.compile(r"\\.|[$`]", re.DOTALL)
#: What stands for $ and ` where a shell would put something else in their place.
_MARKS = str.maketrans("$`", "\x1a\x1b")
_UNMARKED = str.maketrans("\x1a\x1b", "$`")
_EXPANSION = re.compile("[\x1a\x1b]")


def read(file: str) -> Program:
    """Read the screens that a file names; its program is not to be run. file: the path.

    Raises Failure (111) where its zones cannot be found out, and AskedWrongly (100) for a zone that is wrong.
    """
    try:
        text = Path(file).read_text(encoding="utf-8", errors="surrogateescape")
    except OSError as error:
        raise unable(f"read {file}", error) from None
    found = _of_script(file, text) if _is_script(text) else _of_list(file, text)
    if not found.zones:
        raise Failure(f"unable to find a zone in {file}: neither behind pyrblsmtpd nor one a line")
    return found


def _is_script(text: str) -> bool:
    """Whether a file is for a shell or a supervisor: lists have zones, whose texts may mention rblsmtpd."""
    return text.startswith("#!") or any(_SCREEN.search(line) and not _is_zone(line) for _, line in _lines(text))


def _is_zone(line: str) -> bool:
    try:
        zone.parse(line)
    except AskedWrongly:
        return False
    return True


def _lines(text: str) -> Iterator[tuple[int, str]]:
    """Yield each line that is not empty or a comment, with its number, from 1."""
    for number, line in enumerate(map(str.strip, text.splitlines()), 1):
        if line and not line.startswith("#"):
            yield number, line


def _of_list(file: str, text: str) -> Program:
    return Program((program.with_zones(program.defaults(), tuple(_zones(file, text))),), ())


def _zones(file: str, text: str) -> Iterator[Zone]:
    for number, line in _lines(text):
        try:
            yield zone.parse(line)
        except AskedWrongly as wrong:
            raise AskedWrongly(f"{file}: line {number}: {wrong.sentence}") from None


def _of_script(file: str, text: str) -> Program:
    """All screens of a script: a program of somebody else's may stand between them, and they act all the same."""
    try:
        words = list(_words(_SHELL.sub(_marked, text.replace("\\\n", " "))))
    except ValueError as error:  # of shlex
        raise Failure(f"unable to read {file}: {str(error).lower()}") from None
    screens: list[ScreenSettings] = []
    while program.RBLSMTPD in words:
        command = words[words.index(program.RBLSMTPD) :]
        found = _of_command(file, command)
        screens += found.screens
        words = list(found.argv)
    return Program(tuple(screens), ())


def _of_command(file: str, command: list[str]) -> Program:
    try:
        found = program.read(command)
    except AskedWrongly as wrong:
        _need_no_shell(file, command)
        raise AskedWrongly(f"{file}: {wrong.sentence.translate(_UNMARKED)}") from None
    # The program behind may be called by a variable, but a word that is nothing else may be more options.
    own = command[: len(command) - len(found.argv)]
    zone_options = itertools.takewhile(lambda word: os.path.basename(word) != program.GREYLIST, own)
    _need_no_shell(file, [*zone_options, *(word for word in found.argv[:1] if "/" not in word)])
    return found


def _need_no_shell(file: str, words: list[str]) -> None:
    for word in filter(_EXPANSION.search, words):
        sentence = f"unable to read {file}: only a shell knows what {word.translate(_UNMARKED)} is"
        raise Failure(f"{sentence}; give the zones with -r and -a, or in a list")


def _words(text: str) -> Iterator[str]:
    """Yield the words of a command as a shell divides them, those of sh -c '...' too. Raises ValueError."""
    for word in shlex.split(text, comments=True):
        if os.path.basename(word) in _SCREENS:
            yield program.RBLSMTPD
        elif re.search(r"\s", word) and _SCREEN.search(word):
            yield from _words(word)
        else:
            yield word


def _marked(found: re.Match[str]) -> str:
    piece = found[0]
    if piece.startswith('"'):
        return _IN_QUOTES.sub(lambda part: part[0].translate(_MARKS) if len(part[0]) == 1 else part[0], piece)
    return piece.translate(_MARKS) if len(piece) == 1 else piece
