"""The grants of one address as a record of the store: a line each, blanks between fields. Never has a store."""

import re
from collections.abc import Iterable
from urllib.parse import quote_from_bytes, unquote_to_bytes

from ..store.change import Row
from .grant import Grant, How, field

#: Digits without a zero before them: Lua writes a line as it has found it.
_NUMBER = re.compile("0|[1-9][0-9]{0,11}")
_NUMBERS = 4
_EMPTY = "-"


def text(grants: Iterable[Grant]) -> str:
    """Write a record."""
    return "\n".join(map(_line, grants))


def grants(row: Row | None) -> tuple[Grant, ...]:
    """Read a record; None = there is none. Raises ValueError for what is none, as something else has written it."""
    if row is None:
        return ()
    if not isinstance(row[0], str):
        raise ValueError("a record of grants is text")
    return tuple(map(_grant, filter(None, row[0].split("\n"))))


def row(grants: Iterable[Grant]) -> Row | None:
    """Make a record; None where there is no grant."""
    return (written_all,) if (written_all := text(grants)) else None


def parsed(text: bytes) -> Row:
    """Make a row of a record as Redis has it. Raises ValueError for what is no text."""
    return (text.decode("ascii"),)


def written(value: bytes) -> str:
    """Write a field, in characters that divide nothing. Raises ValueError for one that no grant may have."""
    quoted = quote_from_bytes(field(value), safe="@:/+=")
    return quoted.replace(_EMPTY, "%2D") if quoted == _EMPTY else quoted or _EMPTY


def _line(grant: Grant) -> str:
    numbers = map(str, grant[:_NUMBERS])
    texts = map(written, (grant.user, grant.by, grant.relayclient, grant.channel))
    return " ".join((*numbers, grant.how, *texts))


def _grant(line: str) -> Grant:
    words = line.split(" ")
    if len(words) != len(Grant._fields) or not all(map(_NUMBER.fullmatch, words[:_NUMBERS])):
        raise ValueError("something else is kept there, and no grant")
    expires, renewed, granted, logins = map(int, words[:_NUMBERS])
    user, by, relayclient, channel = map(_read, words[_NUMBERS + 1 :])
    return Grant(expires, renewed, granted, logins, How(words[_NUMBERS]), user, by, relayclient, channel)


def _read(word: str) -> bytes:
    return b"" if word == _EMPTY else field(unquote_to_bytes(word))
