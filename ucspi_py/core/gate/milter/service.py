"""A word of smtpd_milters -> the milter (milter.c, milter_new; MILTER_README, "Different settings")."""

import re
from collections.abc import Iterable

from ...errors import AskedWrongly
from ..language.words import Fragment, Word, split
from ..server import parse_server
from .parameters import LIST, PARSE
from .settings import Milter

_WHAT = "a milter"
#: A port and a host in the order of smfi_setconn(3).
_LIBMILTERS = re.compile(r"inet6?:([0-9]+)@(.+)")
#: smtpd.h, SMTPD_MILTERS_DISABLE: no milters.
_DISABLE = "disable"
#: Postfix's other word for a Unix socket.
_LOCAL, _UNIX = "local:", "unix:"


def parse_milters(words: Iterable[Word]) -> tuple[Milter, ...]:
    """Parse a list of milters. Raises AskedWrongly with the place of one that is none."""
    return tuple(map(_placed, words))


def milters_of(value: bytes) -> tuple[Milter, ...]:
    """Parse what a table has for a client: milters, or DISABLE. Raises ValueError."""
    text = value.decode("utf-8", "surrogateescape")
    if text.lower() == _DISABLE:
        return ()
    return tuple(parse_milter(word.text) for word in split((Fragment(text, ""),)))


def flaw(value: bytes) -> str | None:
    """Tell what is wrong with the value of such a table; None = nothing."""
    try:
        milters_of(value)
    except ValueError as wrong:
        return str(wrong)
    return None


def parse_milter(word: str) -> Milter:
    """Parse ``unix:PATH``, ``local:PATH``, ``inet:HOST:PORT``, or one in braces with settings. Raises ValueError."""
    if not word.startswith("{"):
        return _milter(word, ())
    server, *own = [one.text for one in split((Fragment(_inside(word), ""),))] or [""]
    return _milter(server, tuple(_own(one) for one in own))


def _placed(word: Word) -> Milter:
    try:
        return parse_milter(word.text)
    except ValueError as wrong:
        raise AskedWrongly(f"{word.where}: {LIST}: {wrong}") from None


def _milter(text: str, own: tuple[tuple[str, object], ...]) -> Milter:
    libmilters = _LIBMILTERS.fullmatch(text)
    if libmilters:
        raise ValueError(f"write inet:{libmilters[2]}:{libmilters[1]}: '{text}' is how filters themselves have it")
    unix = _UNIX + text.removeprefix(_LOCAL) if text.startswith(_LOCAL) else text
    return Milter(parse_server(unix, _WHAT), text, own)


def _inside(word: str) -> str:
    """What stands in braces, without the blanks around it (extpar.c)."""
    if not word.endswith("}"):
        raise ValueError(f"a brace is not closed: {word}")
    return word[1:-1].strip()


def _own(word: str) -> tuple[str, object]:
    """One setting, ``name=value``; in braces there may be blanks in it."""
    name, equals, text = (_inside(word) if word.startswith("{") else word).partition("=")
    name = name.strip()
    if not equals or name not in PARSE:
        raise ValueError(f"a milter takes {', '.join(PARSE)}, each with = and a value, and not '{word}'")
    try:
        return name, PARSE[name](text.strip())
    except ValueError as wrong:
        raise ValueError(f"{name} {wrong}") from None
