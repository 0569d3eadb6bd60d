"""pytcprules: rules source on standard input -> a cdb, in one move."""

import errno
import sys
from collections.abc import Iterator
from itertools import chain

import click

from ..core.errors import unable
from ..core.rules_text import records
from ..system import rules_file
from . import manners

_AT_ONCE = 1 << 16


@click.command(context_settings=manners.CONTEXT_SETTINGS)
@click.argument("cdb")
@click.argument("tmp")
@click.argument("ignored", nargs=-1, expose_value=False)
def compile_rules(cdb: str, tmp: str) -> None:
    """Compile the rules on standard input into CDB, by way of TMP in the same filesystem.

    A server that uses CDB sees the old rules or the new ones, never a mixture, and needs no restart. Rules that
    cannot be parsed leave CDB as it was.

    Example: pytcprules /etc/tcp.smtp.cdb /etc/tcp.smtp.tmp < /etc/tcp.smtp
    """
    rules_file.write(cdb, tmp, records(_lines()))


def main() -> None:
    """The program."""
    manners.run(
        "tcprules", "tcprules rules.cdb rules.tmp", lambda args: manners.invoke(compile_rules, "pytcprules", args)
    )


def _lines() -> Iterator[bytes]:
    return chain.from_iterable(iter(_some_lines, []))


def _some_lines() -> list[bytes]:
    """The next lines of standard input, none at its end."""
    try:
        if sys.stdin is None:
            raise OSError(errno.EBADF, "closed when we were started")
        return sys.stdin.buffer.readlines(_AT_ONCE)
    except OSError as error:
        raise unable("read input", error) from None
