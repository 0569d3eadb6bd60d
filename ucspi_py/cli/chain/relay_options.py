"""The options of pyrelay check -> its settings. Never reads the program behind them."""

import click

from ...core.ledger.settings import RelaySettings
from .. import djb_click
from .store_option import store_option

USAGE = "relay check -s store smtpd [ arg ... ]"


@click.command("check", context_settings=djb_click.CONTEXT_SETTINGS)
@store_option
@click.argument("program", nargs=-1, required=True)
def check(**_options: object) -> None:
    """Run PROGRAM, with RELAYCLIENT where the client has a grant.

    $TCPREMOTEIP is the client. Its program gets RELAYCLIENT, RELAYUSER and RBLSMTPD="", so that zones and greylist
    behind this one spare it. Not asked about: who may relay anyhow ($RELAYCLIENT), and who never may (RELAY="never").
    While STORE cannot be used, nobody has a grant.

    Example: pyrelay check -s /var/lib/relay/db qmail-smtpd
    """


def settings(ctx: click.Context) -> RelaySettings:
    """Make the settings of parsed options."""
    return RelaySettings(ctx.params["store"])
