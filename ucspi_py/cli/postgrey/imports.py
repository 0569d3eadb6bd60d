"""pypostgrey --import: what postgrey has remembered."""

import sys
from typing import Any, BinaryIO

import click

from ...core.errors import unable
from ...system.postgrey import importing, start
from .. import djb_click
from . import options

#: Some of it could not be taken over.
_FLAWED = 1
#: Flaws that are named.
_NAMED = 100


def run(source: str, params: dict[str, Any]) -> int:
    """Import a file, - = standard input, as the user of --user; the exit code. params: the options. Raises Failure."""
    settings = options.triplets(params)
    with _opened(source) as file:
        start.settle(*options.ids(params["user"], params["group"]))
        counts, flaws = importing.run(file, settings)
    done = ", ".join(f"{kind} {counts[kind]}" for kind in (importing.TRIPLET, importing.CLIENT))
    passed_over = ", ".join(f"{kind} {counts[kind]}" for kind in (importing.EXPIRED, importing.HASHED))
    click.echo(f"imported: {done}; passed over: {passed_over}")
    djb_click.complain(*(f"not imported: line {flaw.line} {flaw.why}" for flaw in flaws[:_NAMED]))
    if len(flaws) > _NAMED:
        djb_click.complain(f"not imported: {len(flaws) - _NAMED} more")
    return _FLAWED if flaws else 0


def _opened(source: str) -> BinaryIO:
    if source == "-":
        return sys.stdin.buffer
    try:
        return open(source, "rb")  # the caller closes it
    except OSError as error:
        raise unable(f"read {source}", error) from None
