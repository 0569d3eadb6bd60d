"""pyrelay list, grant and revoke: the grants as an operator sees and changes them."""

import os
from collections.abc import Callable
from typing import Any

import click

from ...core.errors import AskedWrongly
from ...core.importers.imported import network
from ...core.ledger import address
from ...core.ledger.address import Address, is_within
from ...core.ledger.grant import Grant, How, is_live
from ...core.ledger.settings import LIFE
from ...core.text import shown
from ...system.ledger.ledger import Granted, Ledger, Login, now, recorder
from .. import djb_click, tables
from ..chain.store_option import store_option
from . import ledger_options

_user_option = click.option("--user", metavar="NAME", help="Of this user alone.")
_HEADS = ("address", "user", "how", "by", "logins", "last login", "ends", "RELAYCLIENT", "CHANNEL")


@click.command("list")
@store_option
@tables.json_option
@_user_option
@click.argument("where", metavar="[ADDRESS]", required=False)
def list_grants(store: str, where: str | None, user: str | None, *, as_json: bool) -> None:
    """List the grants that live, all of them, of a user, or of an ADDRESS or network.

    \b
    Example:
      $ pyrelay list -s /var/lib/relay/db
      address    user             how   by       logins  last login  ends       RELAYCLIENT  CHANNEL
      192.0.2.7  joe@example.org  pop3  89@mx1  2       388 s ago   in 512 s
    """
    at = now()
    wanted = _selection(where, user)

    async def read(ledger: Ledger) -> dict[tuple[str, int], tuple[str, Grant]]:
        return {
            (entry.key, place): (entry.key, grant)
            async for entry in ledger.entries()
            for place, grant in enumerate(entry.grants)
            if is_live(grant, at) and wanted(entry.key, grant)
        }

    found = list(ledger_options.use_existing(store, read).values())
    if as_json:
        tables.as_json([_for_programs(key, grant) for key, grant in found])
    else:
        tables.table(_HEADS, [_row(key, grant, at) for key, grant in found])


@click.command("grant")
@ledger_options.granting
@click.option("-t", "seconds", metavar="SECONDS", type=djb_click.Number(1), default=LIFE, help=f"Its life ({LIFE}).")
@click.option("--user", metavar="NAME", default="", help="To whom it is granted.")
@click.option("--relayclient", metavar="VALUE", default="", help="Value of RELAYCLIENT; empty unless told.")
@click.option("--channel", metavar="NAME", default="", help="Value of CHANNEL; it is not set unless told.")
@click.argument("ip", metavar="ADDRESS")
@click.pass_context
def grant(ctx: click.Context, /, ip: str, seconds: int, user: str, relayclient: str, channel: str, **more: Any) -> None:
    """Let ADDRESS relay for some seconds from now.

    \b
    Example:
      $ pyrelay grant -s /var/lib/relay/db -t 3600 --user joe@example.org 192.0.2.7
      granted 192.0.2.7
    """
    texts = map(os.fsencode, (relayclient, channel))
    login = Login(_address(ip), How.HAND, os.fsencode(user), recorder(os.getuid()), *texts)
    settings = ledger_options.settings(**more)
    told = ledger_options.use(settings, lambda ledger: ledger.grant(login, seconds))
    if isinstance(told, Granted):
        click.echo(f"granted {told.key}")
    else:
        djb_click.complain(f"relay: not granted: {told.sentence}")
        ctx.exit(1)


@click.command("revoke")
@store_option
@_user_option
@click.argument("where", metavar="[ADDRESS]", required=False)
@click.pass_context
def revoke(ctx: click.Context, store: str, where: str | None, user: str | None) -> None:
    """End the grants of an ADDRESS or network, of a user, or of a user there.

    An IPv6 address stands for its /64 too.

    \b
    Example:
      $ pyrelay revoke -s /var/lib/relay/db --user joe@example.org
      revoked 1
    """
    if where is None and user is None:
        raise AskedWrongly("an ADDRESS or network is needed, or --user")
    wanted = _selection(where, user)
    whose = None if user is None else os.fsencode(user)

    async def end(ledger: Ledger) -> int:
        keys = {entry.key async for entry in ledger.entries() if any(wanted(entry.key, one) for one in entry.grants)}
        return sum([await ledger.revoke(key, whose) for key in sorted(keys)])

    revoked = ledger_options.use_existing(store, end)
    click.echo(f"revoked {revoked}")
    ctx.exit(0 if revoked else 1)


COMMANDS: tuple[click.Command, ...] = (list_grants, grant, revoke)


def _selection(where: str | None, user: str | None) -> Callable[[str, Grant], bool]:
    """Whether a grant of a key is meant. Raises AskedWrongly for what is no address and no network."""
    block = None if where is None else network(where)
    if where is not None and block is None:
        raise AskedWrongly(f"{where} is no address and no network")
    whose = None if user is None else os.fsencode(user)
    is_address = block is not None and block.length == block.bits
    keys = address.keys(_address(where)) if where is not None and is_address else ()

    def is_meant(key: str, grant: Grant) -> bool:
        is_there = block is None or key in keys or is_within(key, block)
        return is_there and whose in (None, grant.user)

    return is_meant


def _address(text: str) -> Address:
    """Parse an address. Raises AskedWrongly."""
    try:
        return address.address(text.encode("ascii"))
    except ValueError:
        raise AskedWrongly(f"{text} is no address") from None


def _row(key: str, grant: Grant, at: int) -> tuple[str, ...]:
    times = f"{at - grant.renewed} s ago", f"in {grant.expires - at} s"
    texts = map(shown, (grant.relayclient, grant.channel))
    return key, shown(grant.user), grant.how.value, shown(grant.by), str(grant.logins), *times, *texts


def _for_programs(key: str, grant: Grant) -> dict[str, object]:
    values = {name: shown(value) if isinstance(value, bytes) else value for name, value in grant._asdict().items()}
    return {"address": key, **values}
