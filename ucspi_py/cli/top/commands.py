"""pyucspitop: asks a service, and shows what it says."""

import sys
import time
from importlib.util import find_spec

import click

from ...core.top import table
from ...system.top.asking import ask
from .. import djb_click, tables

#: Seconds between two looks.
_LOOKS = 1.0


@click.command(context_settings=djb_click.CONTEXT_SETTINGS | {"allow_interspersed_args": True})
@djb_click.version_option
@tables.json_option
@click.argument("path", metavar="SOCKET")
def top(path: str, *, as_json: bool) -> None:
    """Show who is inside a service that was started with pytcpserver --top SOCKET.

    On a terminal, until you press Ctrl-C, anew every second; otherwise once. The clients that have been there longest
    come first. Only root and the user of -u may ask.

    \b
    Example:
      $ pyucspitop /run/ucspi_py/top
    """
    if as_json:
        tables.as_json(ask(path))
    elif not sys.stdout.isatty():
        _tell(path)
    elif find_spec("rich"):
        from . import screen  # what few have

        screen.run(path)
    else:
        _repeat(path)


def main() -> None:
    """Run pyucspitop."""
    djb_click.run("ucspitop", "ucspitop [ --json ] socket", _run)


def _run(args: list[str]) -> None:
    djb_click.invoke(top, "pyucspitop", args)


def _tell(path: str) -> None:
    snapshot = ask(path)
    for line in table.summary(snapshot):
        click.echo(line)
    tables.table(table.HEADINGS, map(table.cells, snapshot["clients"]))


def _repeat(path: str) -> None:
    while True:
        click.clear()
        _tell(path)
        tables.flush()
        time.sleep(_LOOKS)
