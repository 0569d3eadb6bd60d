"""What a start would meet, a line each: for pytcpserver --check, and before a restart. Never starts a server."""

import click

from ...core.errors import Failure
from ...core.gate.check.reading import Reading
from ...core.service import loglines
from ...core.service.check.finding import Finding, Kind, can_start, of_gate
from ...core.service.settings import ServerSettings
from ...system.report.log import Log
from ...system.service.check.check import Asked
from ...system.service.check.check import check as all_findings
from ...system.service.check.check import check_trial as findings_of_trial
from .. import djb_click, tcpserver_options
from ..chain import program, smtpgate_check, smtpgate_options


def check(ctx: click.Context) -> None:
    """Print what is found about the service of parsed options.

    Raises click's Exit with 111 where it would not start or not do its work, and as the options of a start do.
    """
    reading = _reading(ctx.params["words"])
    if reading and reading.errors:
        _end(ctx, [_told(finding) for finding in of_gate(reading.errors)])
        return
    _end(ctx, [_told(finding) for finding in all_findings(Asked(tcpserver_options.settings(ctx.params), reading))])


def check_trial(ctx: click.Context, settings: ServerSettings, words: tuple[str, ...], log: Log) -> None:
    """Log what is found by a program that is to follow a server, but for what is well.

    settings, words: its own, and those of its program. log: the server's. Raises click's Exit with 111 where it had
    better not follow.
    """
    findings = list(findings_of_trial(Asked(settings, _reading(words))))
    log.warn(*(loglines.tried(str(finding)) for finding in findings if finding.kind is not Kind.FINE))
    _end(ctx, findings)


def _reading(words: tuple[str, ...]) -> Reading | None:
    """Read the configuration of the gate with all that is wrong in it; None = there is no gate, or none can be read."""
    while found := program.command_of(words):
        command, length = found
        try:
            ctx = djb_click.context(command, words[0], words[length:])
        except click.UsageError:
            return None  # the options of a start say it
        if command is smtpgate_options.smtpgate:
            return smtpgate_check.reading(ctx)
        words = tuple(ctx.params["program"])
    return None


def _told(finding: Finding) -> Finding:
    """One after the other: some take their time."""
    djb_click.tell(1, f"{finding}\n".encode("utf-8", "surrogateescape"))
    return finding


def _end(ctx: click.Context, findings: list[Finding]) -> None:
    if not can_start(findings):
        ctx.exit(Failure.exit_code)
