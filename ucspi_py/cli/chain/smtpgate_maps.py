"""pysmtpgate --query and --map: a lookup table is asked or made, as by postmap. Never starts a gate."""

import os
import sys
from collections.abc import Iterable, Iterator

import click

from ...core.errors import AskedWrongly, Failure
from ...core.gate.maps.names import Broken, MapName, parse_map_name
from ...core.gate.maps.table import Flaw
from ...system.gate.compiled_map import compile_map
from ...system.gate.tables import Tables
from .. import djb_click

#: postmap's exit code where no key has a value.
_NOT_FOUND = 1


def query(key: str, word: str) -> None:
    """Print the value of a key; of ``-``, each line of standard input that has a value, and that.

    word: the table, type:name. Raises AskedWrongly for one that is none, Failure for one that cannot be read; click's
    Exit where no key has a value.
    """
    try:
        name = parse_map_name(word)
    except ValueError as wrong:
        raise AskedWrongly(str(wrong)) from None
    tables = Tables(lambda sentence: djb_click.complain(f"smtpgate: warning: {sentence}"))
    flaws = tables.inspect(name)
    if isinstance(flaws, Broken):
        raise Failure(flaws.sentence)
    _warn(str(name), flaws)
    answers = _answers(tables, name) if key == "-" else filter(None, [_found(tables, name, os.fsencode(key))])
    is_found = False
    for answer in answers:
        sys.stdout.buffer.write(answer + b"\n")
        is_found = True
    if not is_found:
        raise click.exceptions.Exit(_NOT_FOUND)


def make(source: str) -> None:
    """Make SOURCE.cdb. Raises Failure."""
    _warn(source, compile_map(source))


def _answers(tables: Tables, name: MapName) -> Iterator[bytes]:
    for line in sys.stdin.buffer:
        key = line.removesuffix(b"\n")
        value = _found(tables, name, key)
        if value is not None:
            yield key + b"\t" + value


def _found(tables: Tables, name: MapName, key: bytes) -> bytes | None:
    value = tables.look_up(name, key)
    if isinstance(value, Broken):
        raise Failure(value.sentence)
    return value


def _warn(name: str, flaws: Iterable[Flaw]) -> None:
    lines = [f"smtpgate: warning: {name} line {flaw.line}: {flaw.sentence}" for flaw in flaws]
    djb_click.complain("\n".join(lines))
