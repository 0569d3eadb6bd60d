"""--max-size: how large a store in a file may grow."""

import click

from ...core.store.size import DEFAULT, size


def _parsed(_ctx: click.Context, _option: click.Parameter, text: str | None) -> int:
    try:
        return DEFAULT if text is None else size(text)
    except ValueError as flaw:
        raise click.BadParameter(str(flaw)) from None


size_option = click.option(
    "--max-size", "max_size", metavar="BYTES", callback=_parsed, help="Of the SQLite file, as in 500M or 4G (1G)."
)
