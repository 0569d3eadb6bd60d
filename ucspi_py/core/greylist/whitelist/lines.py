"""The lines of a whitelist, what is wrong with them, and the expressions in them. Never reads a file."""

import re
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple, TypeVar

from ...expressions import pcre
from ...expressions.scanner import Unknown
from ...expressions.search import Find, TooLong, searched

T = TypeVar("T")

_EXPRESSION = re.compile(rb"/(\S+)/")
#: ``qr/.../i``: a dot is no newline, and ``^`` and ``$`` stand at the ends of the text alone.
_FLAGS = pcre.Flags(i=True, m=False, s=False, x=False)


class Source(NamedTuple):
    """A file that was read. path: for what is said of it. text: all that it has."""

    path: str
    text: bytes


class Place(NamedTuple):
    """Where something stands: path of a file, and number of a line."""

    path: str
    line: int

    def __str__(self) -> str:
        """Name it."""
        return f"{self.path} line {self.line}"


class Flaw(NamedTuple):
    """A line that was passed over. sentence: why, without the place."""

    place: Place
    sentence: str

    def __str__(self) -> str:
        """Tell all of it."""
        return f"{self.place}: {self.sentence}"


class Expression(NamedTuple):
    """An expression between slashes. find: looks for it. folds: in a text in capitals. place: where it stands."""

    find: Find
    folds: bool
    place: Place


Late = Callable[[Expression], object]


def read(sources: Iterable[Source], parse: Callable[[bytes, Place], T]) -> tuple[list[T], tuple[Flaw, ...]]:
    """Read what is left of each line without comment and blanks.

    parse: gets that and its place, and raises Unknown for what means nothing.
    """
    found, flaws = list[T](), list[Flaw]()
    for source in sources:
        for number, line in enumerate(source.text.split(b"\n"), 1):
            entry, place = line.partition(b"#")[0].strip(), Place(source.path, number)
            if entry:
                try:
                    found.append(parse(entry, place))
                except Unknown as unknown:
                    flaws.append(Flaw(place, str(unknown)))
    return found, tuple(flaws)


def expression(entry: bytes, place: Place) -> Expression | None:
    """Read an expression between slashes; None where it is none. Raises Unknown for what is not translated."""
    found = _EXPRESSION.fullmatch(entry)
    if not found:
        return None
    translated = pcre.translate(found[1], _FLAGS, is_anchored=False, ends_only=False)
    try:
        compiled = re.compile(translated.expression, re.DOTALL)
    except (re.error, OverflowError, RecursionError) as error:
        raise Unknown(f"it cannot be translated: {error}") from None
    return Expression(compiled.match if translated.is_anchored else compiled.search, translated.folds, place)


def one_holds(expressions: Sequence[Expression], text: bytes, late: Late) -> bool:
    """Whether one of some expressions is found in a text. late: is told of each that takes too long, and is not."""
    capitals = text.upper()
    return any(_holds(one, capitals if one.folds else text, late) for one in expressions)


def _holds(one: Expression, text: bytes, late: Late) -> bool:
    try:
        return searched(one.find, text) is not None
    except TooLong:
        late(one)
        return False
