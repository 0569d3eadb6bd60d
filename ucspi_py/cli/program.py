"""The words after tcpserver's port, or a screen's own -> the screens that are ours, and the program behind them."""

import os
from collections.abc import Callable, Sequence

import click

from ..core.errors import AskedWrongly
from ..core.settings import Program, Screening, ScreenSettings, Zone
from ..system.pathexec import find
from . import greylist_options, manners

RBLSMTPD = "pyrblsmtpd"
GREYLIST = "pygreylist"
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
    name = _ours(words[0])
    if name is None:
        return Program((), tuple(words))
    try:
        return read_options(name, words[1:])
    except click.UsageError as wrong:
        raise AskedWrongly(f"{words[0]}: {wrong.format_message()}") from None


def read_options(name: str, words: Sequence[str]) -> Program:
    """The options of a screen of ours and the program behind. Raises click's UsageError, or Exit after --help."""
    command, settings = _SCREENS[name]
    ctx = manners.context(command, name, words)
    inner = read(ctx.params["program"])
    return Program((settings(ctx), *inner.screens), inner.argv)


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


_SCREENS: dict[str, tuple[click.Command, Callable[[click.Context], Screening]]] = {
    RBLSMTPD: (screen_options, _settings),
    GREYLIST: (greylist_options.greylist, greylist_options.settings),
}


def _ours(name: str) -> str | None:
    """Which screen of ours a program is, by its name or by the name of the file that it leads to."""
    if os.path.basename(name) in _SCREENS:
        return os.path.basename(name)
    try:
        file = os.path.basename(os.path.realpath(find(name)))
    except OSError:
        return None
    return file if file in _SCREENS else None
