"""spamdyke.conf -> the settings that count in it (configuration.c, read_config_file). Never knows what one means."""

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

from .names import renamed

_END = re.compile("\r\n|[\r\n]")
_LINE = re.compile(r"([^=\s]+)[ \t]*(?:=[ \t]*(.*))?")
#: Values that take back what stands above: all of an option, or one value of it (CONFIG_VALUE_CANCEL, ..._REMOVE).
_CANCEL, _REMOVE = "!!!", "!"
#: Files within files.
_DEPTH = 16

#: What reads a file that a setting names; None = it cannot be read.
Read = Callable[[str], str | None]


class Setting(NamedTuple):
    """One line. place: FILE:LINE. written: the line. name: as spamdyke 5.0 has it. value: empty where there is none."""

    place: str
    written: str
    name: str
    value: str

    def __str__(self) -> str:
        return f"{self.place}: {self.written}"


class Conf(NamedTuple):
    """The settings of spamdyke.conf and of all files that it includes, in their order.

    taken_back: those that a later line takes back. wrong: lines that are no setting, each with the reason.
    """

    settings: tuple[Setting, ...]
    read: Read
    taken_back: tuple[Setting, ...] = ()
    wrong: tuple[tuple[Setting, str], ...] = ()

    def all(self, *names: str) -> list[Setting]:
        """The settings of some options, in their order."""
        return [one for one in self.settings if one.name in names]

    def last(self, name: str) -> Setting | None:
        """The setting that counts of an option that has one value."""
        return next((one for one in reversed(self.settings) if one.name == name), None)


def parse(path: str, text: str, read: Read) -> Conf:
    """Read spamdyke.conf. path: its name, for the places. read: reads each file that a setting names."""
    kept: list[Setting] = []
    taken_back: list[Setting] = []
    wrong: list[tuple[Setting, str]] = []
    for one, why in _lines((path,), text, read):
        if why:
            wrong.append((one, why))
        elif one.value.startswith(_REMOVE):
            gone = _gone(one, kept)
            kept = [old for old in kept if old not in gone]
            taken_back += [*gone, one]
        else:
            kept.append(one)
    return Conf(tuple(kept), read, tuple(taken_back), tuple(wrong))


def _gone(one: Setting, kept: list[Setting]) -> list[Setting]:
    """Find those that a setting takes back: all of its option, or all of a value; of a list the first of them."""
    of_option = [old for old in kept if old.name == one.name]
    if one.value == _CANCEL:
        return of_option
    found = [old for old in of_option if old.value == one.value.removeprefix(_REMOVE)]
    return found[:1] if one.name.endswith(("-entry", "-file")) else found


def _lines(paths: tuple[str, ...], text: str, read: Read) -> Iterator[tuple[Setting, str]]:
    """Yield each setting, and why it is none; those of the files that it includes behind all of its own.

    paths: of the file and of those that include it.
    """
    included: list[Setting] = []
    for number, line in _numbered(text):
        written = line.strip().replace("\t", " ")
        place = f"{paths[0]}:{number}"
        found = _LINE.fullmatch(written)
        if not found or not written.isprintable():
            yield Setting(place, written, "", ""), "it is not OPTION=VALUE"
            continue
        one = Setting(place, written, *renamed(found[1].lower(), found[2] or ""))
        if one.name == "config-file":
            included.append(one)
        else:
            yield one, ""
    for one in included:
        yield from _included(one, paths, read)


def _included(one: Setting, paths: tuple[str, ...], read: Read) -> Iterator[tuple[Setting, str]]:
    if one.value in paths:
        yield one, "the file includes itself, and is not read again"
        return
    inner = read(one.value) if len(paths) <= _DEPTH else None
    if inner is None:
        yield one, "the file cannot be read, and what it restricts is missing here; import as a user who may read it"
    else:
        yield from _lines((one.value, *paths), inner, read)


class Entry(NamedTuple):
    """An entry of a list. place: of its line, in spamdyke.conf or in the file that it names."""

    place: str
    text: str

    def __str__(self) -> str:
        return f"{self.place}: {self.text}"


def entries(conf: Conf, option: str) -> Iterator[tuple[Setting, list[Entry] | None]]:
    """Yield each setting OPTION-entry and OPTION-file with its entries; None = the file cannot be read."""
    for one in conf.all(f"{option}-entry", f"{option}-file"):
        if one.name.endswith("-entry"):
            yield one, [Entry(one.place, one.value)]
            continue
        text = conf.read(one.value)
        yield one, None if text is None else list(_entries(one.value, text))


def _entries(path: str, text: str) -> Iterator[Entry]:
    for number, line in _numbered(text):
        yield Entry(f"{path}:{number}", line)


def _numbered(text: str) -> Iterator[tuple[int, str]]:
    """Yield each line that is neither a comment nor blank."""
    for number, line in enumerate(_END.split(text), 1):
        if line.strip() and not line.startswith("#"):
            yield number, line
