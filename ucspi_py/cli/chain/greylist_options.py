"""The options of pygreylist -> its settings. Never reads the program behind them."""

import click

from ...core.client.limits import NETWORK, Prefixes
from ...core.greylist.settings import GreylistSettings
from .. import djb_click
from .size_option import size_option
from .store_option import store_option

USAGE = (
    "greylist -s store [ -d delay ] [ -w window ] [ -m memory ] [ -n v4[/v6] ] [ -t timeout ] [ --max-size bytes ]"
    " smtpd [ arg ... ]"
)

#: Seconds: the defaults of postgrey (delay, retry-window, max-age), and of rblsmtpd (-t).
_DELAY, _WINDOW, _MEMORY, _SESSION = 300, 2 * 86400, 35 * 86400, 60


delay_option = click.option(
    "-d",
    "delay",
    metavar="SECONDS",
    type=djb_click.Number(1),
    default=_DELAY,
    help=f"From the first contact of a network until it is let in ({_DELAY}).",
)
window_option = click.option(
    "-w",
    "window",
    metavar="SECONDS",
    type=djb_click.Number(1),
    default=_WINDOW,
    help=f"How long a network has to come back ({_WINDOW}, 2 days).",
)


@click.command(context_settings=djb_click.CONTEXT_SETTINGS)
@djb_click.version_option
@store_option
@delay_option
@window_option
@click.option(
    "-m",
    "memory",
    metavar="SECONDS",
    type=djb_click.Number(1),
    default=_MEMORY,
    help=f"For how long a network that was let in is known, from its last visit ({_MEMORY}, 35 days).",
)
@click.option(
    "-n",
    "network",
    metavar="V4[/V6]",
    type=djb_click.Numbers("V4[/V6]", "/", (NETWORK.ipv6,)),
    default=NETWORK,
    help="Prefix lengths of the networks whose clients are taken for one (24/64).",
)
@click.option(
    "-t",
    "session_seconds",
    metavar="SECONDS",
    type=djb_click.Number(),
    default=_SESSION,
    help=f"How long a refused client is talked to ({_SESSION}); 0: it only gets the refusal.",
)
@size_option
@click.argument("program", nargs=-1, required=True)
def greylist(**_options: object) -> None:
    """Refuse networks that were never here before for some minutes, run PROGRAM for any other client.

    $TCPREMOTEIP is the client. Never refused: who may relay ($RELAYCLIENT), and whom a rule spares (RBLSMTPD="" or
    GREYLIST=""). While STORE cannot be used, everybody is let in.

    Other commands are pygreylist list, show, forget, allow and report; each has a --help.

    Example: pygreylist -s /var/lib/greylist/db qmail-smtpd
    """


def settings(ctx: click.Context) -> GreylistSettings:
    """Make the settings of parsed options. Raises click's UsageError for numbers that contradict each other."""
    options = {name: value for name, value in ctx.params.items() if name not in ("program", "network")}
    network = Prefixes(*ctx.params["network"])
    if not 1 <= network.ipv4 <= 32 or not 1 <= network.ipv6 <= 128:
        raise click.UsageError("-n takes prefix lengths from 1 to 32 and from 1 to 128")
    if options["window"] <= options["delay"]:
        raise click.UsageError("-w must be longer than -d, or nobody would ever be let in")
    return GreylistSettings(network=network, **options)
