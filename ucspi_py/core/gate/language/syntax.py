"""The text of main.cf -> its settings, each with its places (postconf(5); readlline.c, split_nameval.c).

Never knows what a parameter means.
"""

from bisect import bisect
from collections.abc import Iterator
from typing import NamedTuple

from ...errors import AskedWrongly

#: isspace() of C; Python's own would take more for blanks.
BLANKS = " \t\n\v\f\r"


class Source(NamedTuple):
    """A text and where it is written.

    place: what a message calls it. starts, numbers: where in the text each line of the file begins, and its number; no
    lines = the place has none.
    """

    text: str
    place: str
    starts: tuple[int, ...] = ()
    numbers: tuple[int, ...] = ()

    def where(self, at: int = 0) -> str:
        """Tell the place of a character. at: its index in the text."""
        if not self.starts:
            return self.place
        return f"{self.place} line {self.numbers[max(bisect(self.starts, at) - 1, 0)]}"

    def cut(self, start: int, end: int) -> "Source":
        """Take a part of the text, with its places. start, end: as of a slice."""
        return Source(self.text[start:end], self.place, tuple(one - start for one in self.starts), self.numbers)

    def trimmed(self) -> "Source":
        """Take the text without the blanks around it."""
        start = len(self.text) - len(self.text.lstrip(BLANKS))
        return self.cut(start, max(start, len(self.text.rstrip(BLANKS))))


class Setting(NamedTuple):
    """One ``name = value``."""

    name: str
    value: Source

    @property
    def where(self) -> str:
        """The place that has it, for a message."""
        return self.value.where()


def settings(place: str, text: str) -> list[Setting]:
    """Read the settings of a file. place: its name, for messages. Raises AskedWrongly with the line."""
    return [setting(line) for line in logical_lines(place, text)]


def lenient_settings(place: str, text: str) -> tuple[list[Setting], list[str]]:
    """Read the settings of a file, and of each line that is none a sentence with its place.

    place: the file's name, for messages.
    """
    found: list[Setting] = []
    flaws: list[str] = []
    try:
        for line in logical_lines(place, text):
            try:
                found.append(setting(line))
            except AskedWrongly as wrong:
                flaws.append(wrong.sentence)
    except AskedWrongly as wrong:
        flaws.append(wrong.sentence)
    return found, flaws


def setting(line: Source) -> Setting:
    """Read ``name = value``: divided at the first equals sign, no blank in the name. Raises AskedWrongly."""
    name, equals, value = line.text.partition("=")
    if not equals or not name.strip(BLANKS) or any(blank in name.strip(BLANKS) for blank in BLANKS):
        is_whole_line = line.starts[:1] == (0,)
        remedy = "; to continue the line above it must begin with a blank" if is_whole_line and not equals else ""
        raise AskedWrongly(f"{line.where()}: '{line.text}' is not name = value{remedy}")
    return Setting(name.strip(BLANKS), line.cut(len(line.text) - len(value), len(line.text)).trimmed())


def option(words: str) -> Setting:
    """Read ``name=value`` of an option -o. Raises AskedWrongly."""
    return setting(Source(words, "-o"))


def logical_lines(place: str, text: str) -> Iterator[Source]:
    """Yield the lines of a file; one that begins with a blank continues another. place: its name, for messages.

    Comments and lines of blanks, also those between a line and its continuation, are left out. Raises AskedWrongly for
    a continuation of nothing, which Postfix passes over, and for a null byte.
    """
    begun: list[tuple[int, str]] = []
    for number, line in enumerate(text.split("\n"), 1):
        if "\0" in line:
            raise AskedWrongly(f"{place} line {number}: a null byte")
        if not line.strip(BLANKS) or line.lstrip(BLANKS).startswith("#"):
            continue
        if line[0] not in BLANKS:
            if begun:
                yield _joined(place, begun)
            begun = []
        elif not begun:
            raise AskedWrongly(f"{place} line {number}: a blank at its start continues a line, and there is none")
        begun.append((number, line))
    if begun:
        yield _joined(place, begun)


def _joined(place: str, lines: list[tuple[int, str]]) -> Source:
    """Postfix puts nothing between the lines: the blank at the start of each is there already."""
    starts = [0]
    for _, line in lines[:-1]:
        starts.append(starts[-1] + len(line))
    return Source("".join(line for _, line in lines), place, tuple(starts), tuple(number for number, _ in lines))
