"""pyrelay allow: stands between a login and what reads mail."""

from collections.abc import Sequence

import click

from ...core.ledger.settings import LIFE
from ...system.process.rlimits import SoftLimits
from .. import djb_click

ALLOW = "allow"
USAGE = "relay allow --socket path [ -t seconds ] program [ arg ... ]"

socket_option = click.option("--socket", metavar="PATH", required=True, help="Where pyrelay serve is told of logins.")


@click.command(ALLOW, context_settings=djb_click.CONTEXT_SETTINGS)
@socket_option
@click.option(
    "-t",
    "seconds",
    metavar="SECONDS",
    type=djb_click.Number(1),
    default=LIFE,
    help=f"From this login until the grant ends ({LIFE}).",
)
@click.argument("program", nargs=-1, required=True, type=click.UNPROCESSED)
def allow(**_options: object) -> None:
    """Tell pyrelay serve that $USER has logged in, then run PROGRAM.

    Stands behind a login of POP3 or IMAP, with the client on descriptor 0. Whatever becomes of the grant, PROGRAM is
    run, a second later at most.

    \b
    Example:
      qmail-popup mx.example.org checkpassword \\
        pyrelay allow --socket /run/relay/socket qmail-pop3d Maildir
    """


def run(words: Sequence[str], soft_limits: SoftLimits) -> None:
    """Run pyrelay allow. words: behind its name. soft_limits: those meant for the program, in bytes.

    Raises click's UsageError, or Exit after --help; Failure where the program cannot be run.
    """
    from ...system.standalone import login

    options = djb_click.context(allow, ALLOW, words).params
    login.run(options["socket"], options["seconds"], options["program"], soft_limits)
