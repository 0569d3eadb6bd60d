"""pysmtpgate --import-spamdyke: a spamdyke.conf as the gate says it. Never starts a gate."""

import click

from ...core.errors import CorruptRules, Failure, unable
from ...core.importers.spamdyke import imported
from ...system.rules.whole_file import read_whole
from .. import djb_click

#: The exit code where something could not be said.
_NOT_SAID = 1


def import_spamdyke(ctx: click.Context, path: str) -> None:
    """Print main.cf, and what is missing in it on standard error.

    path: of spamdyke.conf. Raises Failure where it cannot be read, click's Exit with 1 where something is missing.
    """
    try:
        text = _text(path)
    except OSError as error:
        raise unable(f"read {path}", error) from None
    except CorruptRules as corrupt:
        raise Failure(f"unable to read {path}: {corrupt.sentence}") from None
    found = imported.import_spamdyke(path, text, _read)
    click.echo(found.main_cf, nl=False)
    djb_click.complain(*(f"smtpgate: not said: {one}" for one in found.not_said))
    if found.not_said:
        ctx.exit(_NOT_SAID)


def _read(path: str) -> str | None:
    """Read a file that spamdyke.conf names; None = it cannot be read."""
    try:
        return _text(path)
    except (OSError, CorruptRules):
        return None


def _text(path: str) -> str:
    return read_whole(path)[0].decode("utf-8", "surrogateescape")
