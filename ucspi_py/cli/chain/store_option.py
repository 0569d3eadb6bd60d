"""-s: where records are kept. Never opens it."""

import click

from ...core.store import url


def checked(_ctx: click.Context, _option: click.Parameter, store: str | None) -> str | None:
    """Check a store; None = none is named. The message about a wrong one does not repeat it: it may hold a password."""
    flaw = None if store is None else url.place_flaw(store)
    if flaw:
        raise click.BadParameter(flaw)
    return store


store_option = click.option(
    "-s", "store", metavar="STORE", required=True, callback=checked, help="SQLite file, or redis://HOST/0."
)
