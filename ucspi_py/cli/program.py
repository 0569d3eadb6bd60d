"""The words after tcpserver's port, or rblsmtpd's own -> the screens that are ours, and the program behind them."""

import os
from collections.abc import Sequence

import click

from ..core.errors import AskedWrongly
from ..core.settings import Program, ScreenSettings, Zone
from ..system.pathexec import find
from . import manners

OURS = "pyrblsmtpd"
USAGE = "rblsmtpd [ -bBcC ] [ -t timeout ] [ -r base ] [ -a base ] smtpd [ arg ... ]"

_SESSION_SECONDS = 60
#: C takes up to 60 s for each zone, one after the other; all of ours together take this.
_LOOKUP_SECONDS = 10.0


@click.command(cls=manners.OrderedCommand, context_settings=manners.CONTEXT_SETTINGS)
@click.option("-r", "list_zone", metavar="ZONE", multiple=True, help="Refuse clients that this zone lists (TXT).")
@click.option("-a", "allow_zone", metavar="ZONE", multiple=True, help="Accept clients that this zone lists (A).")
@click.option("-b", "bounce", is_flag=True, help="Zones after this: refuse for good (553).")
@click.option("-B", "no_bounce", is_flag=True, help="Zones after this: refuse for now (451, the default).")
@click.option("-c", "fail_closed", is_flag=True, help="Zones after this: a failed look-up refuses for now.")
@click.option("-C", "fail_open", is_flag=True, help="Zones after this: a failed look-up lets in (the default).")
@click.option(
    "-t",
    "session_seconds",
    metavar="SECONDS",
    type=manners.Number(),
    multiple=True,
    help=f"How long a refused client is talked to ({_SESSION_SECONDS}); 0: it only gets the refusal.",
)
@click.argument("program", nargs=-1, required=True)
def screen_options(**_options: object) -> None:
    """Refuse a client that a DNS zone lists, run PROGRAM for any other.

    Options act in the order in which they are written. $TCPREMOTEIP is the client; $RBLSMTPD, where set, is the
    verdict: empty accepts, text refuses with 451, -text with 553.

    Example: pyrblsmtpd -r bl.example.org qmail-smtpd
    """


def read(words: Sequence[str]) -> Program:
    """The program that ``words`` call for. Raises AskedWrongly for options of ours that are wrong."""
    if not _is_ours(words[0]):
        return Program((), tuple(words))
    try:
        return read_options(words[1:])
    except click.UsageError as wrong:
        raise AskedWrongly(f"{words[0]}: {wrong.format_message()}") from None


def read_options(words: Sequence[str]) -> Program:
    """The options of pyrblsmtpd and the program behind. Raises click's UsageError, or Exit after --help."""
    ctx = manners.context(screen_options, OURS, words)
    inner = read(ctx.params["program"])
    return Program((_settings(ctx), *inner.screens), inner.argv)


def _settings(ctx: click.Context) -> ScreenSettings:
    zones = []
    bounce = fail_closed = False
    session_seconds = _SESSION_SECONDS
    for name, value in manners.written_options(ctx):
        match name:
            case "bounce" | "no_bounce":
                bounce = name == "bounce"
            case "fail_closed" | "fail_open":
                fail_closed = name == "fail_closed"
            case "session_seconds":
                session_seconds = value
            case _:
                zones.append(Zone(os.fsencode(value), name == "allow_zone", bounce, fail_closed))
    return ScreenSettings(tuple(zones), session_seconds, _LOOKUP_SECONDS)


def _is_ours(name: str) -> bool:
    """Whether a program is pyrblsmtpd, by its name or by the name of the file that it leads to."""
    if os.path.basename(name) == OURS:
        return True
    try:
        return os.path.basename(os.path.realpath(find(name))) == OURS
    except OSError:
        return False
