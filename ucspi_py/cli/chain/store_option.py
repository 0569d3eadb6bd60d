"""-s: where records are kept. Never opens it."""

import click

from ...core.store import url


def _checked(_ctx: click.Context, _option: click.Parameter, store: str) -> str:
    """Check a store. The message about a wrong one does not repeat it: it may hold a password."""
    flaw = url.place_flaw(store)
    if flaw:
        raise click.BadParameter(flaw)
    return store


store_option = click.option(
    "-s", "store", metavar="STORE", required=True, callback=_checked, help="SQLite file, or redis://HOST/0."
)
