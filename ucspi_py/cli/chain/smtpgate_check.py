"""pysmtpgate --check: errors and traps of a configuration, each on a line of its own. Never starts a gate."""

import click

from ...core.errors import AskedWrongly
from ...core.gate.check.check import check as all_findings
from ...core.gate.check.finding import Kind
from ...core.gate.check.reading import Reading, read
from ...core.gate.language import syntax
from ...core.gate.language.syntax import Setting
from ...system.gate.check import surroundings
from ...system.process import privileges
from . import smtpgate_options

#: The exit code of a check that has found something.
_FOUND = 1


def reading(ctx: click.Context) -> Reading:
    """Read the configuration of parsed options with all that is wrong in it.

    Raises Failure for a file that cannot be read, AskedWrongly for options that are wrong.
    """
    flaws: list[str] = []

    def sound(place: str, text: str) -> list[Setting]:
        settings, wrong = syntax.lenient_settings(place, text)
        flaws.extend(wrong)
        return settings

    return read(*smtpgate_options.sources(ctx, sound), flaws)


def check(ctx: click.Context) -> None:
    """Print what is wrong with the configuration of parsed options, and what is a trap in it.

    Raises as reading() does, and click's Exit with 100 where there is an error, 1 where there is a warning.
    """
    found = reading(ctx)
    ids = privileges.user_id(ctx.params["user"]), privileges.group_id(ctx.params["group"])
    findings = all_findings(found, surroundings.of(found, *ids))
    for finding in findings:
        click.echo(str(finding))
    kinds = {finding.kind for finding in findings}
    if Kind.ERROR in kinds:
        ctx.exit(AskedWrongly.exit_code)
    if Kind.WARNING in kinds:
        ctx.exit(_FOUND)
