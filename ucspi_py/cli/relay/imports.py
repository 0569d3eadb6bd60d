"""pyrelay import: the grants of other programs."""

import os
from typing import Any

import click

from ...core.ledger.grant import AHEAD, How
from ...core.ledger.importers import Known, open_smtp, relay_ctrl
from ...core.ledger.settings import LIFE
from ...system.ledger import relay_ctrl as directory
from ...system.ledger.ledger import Granted, Ledger, Login, now, recorder
from ...system.rules import source_input
from .. import djb_click
from . import ledger_options

_VPOPMAIL, _RELAY_CTRL = "vpopmail", "relay-ctrl"
#: clearopensmtp: RELAY_CLEAR_MINUTES is 180.
_LIVES = {_VPOPMAIL: 180 * 60, _RELAY_CTRL: LIFE}


@click.command("import")
@ledger_options.granting
@click.option(
    "-t",
    "seconds",
    metavar="SECONDS",
    type=djb_click.Number(1),
    help="Life of a grant from its login; as that program has it unless told.",
)
@click.argument("program", metavar="vpopmail|relay-ctrl", type=click.Choice(tuple(_LIVES)))
@click.argument("path")
@click.pass_context
def import_grants(ctx: click.Context, /, program: str, path: str, seconds: int | None, **options: Any) -> None:
    """Take over the grants that vpopmail or relay-ctrl has given.

    PATH is vpopmail's file open-smtp, or the directory of relay-ctrl. A grant ends when it would have ended there:
    10800 seconds after its login for vpopmail, 900 for relay-ctrl. What is no grant is named on standard error; then
    the exit code is 1.

    \b
    Example:
      $ pyrelay import -s /var/lib/relay/db vpopmail ~vpopmail/etc/open-smtp
      imported 12 of 14, 2 have expired
    """
    known, unread = open_smtp(source_input.content(path)) if program == _VPOPMAIL else relay_ctrl(directory.files(path))
    life = seconds or _LIVES[program]
    settings = ledger_options.settings(**options)
    living = [one for one in known if one.login + life > now()]
    flaws = [*map(str, unread), *ledger_options.use(settings, lambda ledger: _granted(ledger, living, life))]
    expired = len(known) - len(living)
    click.echo(f"imported {len(known) + len(unread) - expired - len(flaws)} of {len(known) + len(unread)}, ", nl=False)
    click.echo(f"{expired} have expired")
    djb_click.complain(*(f"relay: not imported: {flaw}" for flaw in flaws))
    ctx.exit(1 if flaws else 0)


COMMANDS: tuple[click.Command, ...] = (import_grants,)


async def _granted(ledger: Ledger, living: list[Known], life: int) -> list[str]:
    """Grant what still lives; what is not granted, and why."""
    flaws, at = [], now()
    for one in living:
        if one.login > at + AHEAD:
            flaws.append(f"{one.ip}: its login is of the future")
            continue
        login = Login(one.ip, How.IMPORT, one.user, recorder(os.getuid()), one.relayclient)
        told = await ledger.grant(login, min(one.login - at, 0) + life)
        if not isinstance(told, Granted):
            flaws.append(told.sentence)
    return flaws
