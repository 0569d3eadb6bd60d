"""--fleet of pytcpserver: by which store limits are shared. Never opens it."""

import click

from ...core.store import url


def checked(_ctx: click.Context, _option: click.Parameter, store: str | None) -> str | None:
    """Check a store; None = none is named. The message about a wrong one does not repeat it: it may hold a password."""
    if store is None:
        return None
    if not url.is_url(store):
        raise click.BadParameter(f"must be {url.EXPECTED}")
    flaw = url.place_flaw(store)
    if flaw:
        raise click.BadParameter(flaw)
    return store
