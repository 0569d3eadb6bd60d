"""The zones of a run script, or of a list with one zone a line. Never queries them."""

import itertools
import os
import re
from collections.abc import Iterator

from ..core.dnsbl import zone
from ..core.dnsbl.zone import Zone
from ..core.errors import AskedWrongly, Failure
from ..core.service.settings import Program, ScreenSettings
from . import run_script
from .chain import program

#: A word that names the screen.
_SCREEN = re.compile(r"""(?:^|[\s/"'])(?:py)?rblsmtpd(?:[\s"'\\]|$)""")


def read(file: str) -> Program:
    """Read the screens that a file names; its program is not to be run. file: the path.

    Raises Failure (111) where its zones cannot be found out, and AskedWrongly (100) for a zone that is wrong.
    """
    text = run_script.read(file)
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
    words = run_script.words(file, text)
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
        raise AskedWrongly(f"{file}: {run_script.written(wrong.sentence)}") from None
    # The program behind may be called by a variable, but a word that is nothing else may be more options.
    own = command[: len(command) - len(found.argv)]
    others = (program.GREYLIST, program.RELAY)
    zone_options = itertools.takewhile(lambda word: os.path.basename(word) not in others, own)
    _need_no_shell(file, [*zone_options, *(word for word in found.argv[:1] if "/" not in word)])
    return found


def _need_no_shell(file: str, words: list[str]) -> None:
    for word in filter(run_script.is_unknown, words):
        sentence = f"unable to read {file}: only a shell knows what {run_script.written(word)} is"
        raise Failure(f"{sentence}; give the zones with -r and -a, or in a list")
