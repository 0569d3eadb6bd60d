"""The options of whoever grants -> the settings of a ledger; and the way to it. Never grants."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import click

from ...core.errors import AskedWrongly, Failure
from ...core.importers.imported import network
from ...core.ledger.address import ADDRESS, NETWORK
from ...core.ledger.settings import USERS, LedgerSettings
from ...core.store import url
from ...system.ledger.ledger import Ledger
from .. import djb_click
from ..chain.store_option import store_option

T = TypeVar("T")
_Command = TypeVar("_Command", bound=Callable[..., Any])

#: Seconds that a ledger has to answer whoever waits at a terminal.
_PATIENCE = 10.0


def granting(command: _Command) -> _Command:
    """Add the options of whoever grants."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


_OPTIONS = (
    store_option,
    click.option(
        "--v6",
        "length",
        metavar="LENGTH",
        type=djb_click.Number(1),
        default=NETWORK,
        help=f"Prefix that is one client of IPv6 ({NETWORK}), or {ADDRESS}.",
    ),
    click.option(
        "--max-users",
        "users",
        metavar="N",
        type=djb_click.Number(1),
        default=USERS,
        help=f"Users of one address that may have a grant at once ({USERS}).",
    ),
    click.option("--refuse", "refused", metavar="NETWORK", multiple=True, help="Grant nothing to this network."),
    click.option("--private", "allows_private", is_flag=True, help="Grant to private and shared addresses too."),
)


def settings(store: str, length: int, users: int, refused: tuple[str, ...], *, allows_private: bool) -> LedgerSettings:
    """Make the settings of parsed options. Raises AskedWrongly.

    length: of the prefix that is one client of IPv6. users: of one address.
    """
    if length not in (NETWORK, ADDRESS):
        raise AskedWrongly(f"--v6 takes {NETWORK} or {ADDRESS}")
    networks = [(word, network(word)) for word in refused]
    wrong = [word for word, found in networks if found is None]
    if wrong:
        raise AskedWrongly(f"--refuse {wrong[0]} is no address and no network")
    return LedgerSettings(store, length, users, tuple(found for _, found in networks if found), allows_private)


def use(settings: LedgerSettings, deed: Callable[[Ledger], Awaitable[T]]) -> T:
    """Do something with a ledger. Raises Failure where it cannot be used."""
    return asyncio.run(_use(settings, deed))


def use_existing(store: str, deed: Callable[[Ledger], Awaitable[T]]) -> T:
    """Do something with a ledger that is there. Raises Failure where it is not, or cannot be used."""
    if not url.is_url(store) and not os.path.exists(store):
        raise Failure(f"unable to use {store}: file does not exist")
    return use(LedgerSettings(store), deed)


async def _use(settings: LedgerSettings, deed: Callable[[Ledger], Awaitable[T]]) -> T:
    ledger = Ledger(settings, _PATIENCE)
    try:
        return await deed(ledger)
    finally:
        await ledger.close()
