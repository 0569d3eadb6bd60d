"""pysumm: from logs to a report."""

import sys
from datetime import UTC, datetime

import click

from ...core.errors import NoLines
from ...core.summary.lines.reader import Reader
from ...core.summary.report import Report
from ...core.summary.totals import Totals
from ...system.report.log_files import LogFiles
from .. import djb_click, tables
from ..progress import Progress
from . import for_programs, text

_ROWS = 10


@click.command(context_settings=djb_click.CONTEXT_SETTINGS | {"allow_interspersed_args": True})
@djb_click.version_option
@tables.json_option
@click.option("--html", "page", metavar="FILE", help="Write a page for a browser, too.")
@click.option(
    "-n",
    "rows",
    metavar="ROWS",
    type=djb_click.Number(1),
    default=_ROWS,
    help=f"Rows of each list of reasons, clients and users ({_ROWS}).",
)
@click.argument("files", metavar="[FILE]...", nargs=-1)
def summ(files: tuple[str, ...], page: str | None, rows: int, *, as_json: bool) -> None:
    """Sum up the logs of pytcpserver, pyrblsmtpd, pygreylist, pysmtpgate, pypostgrey and pyrelay.

    Each FILE is a log, - or none is standard input. Lines may have any form that pytcpserver --log writes, a stamp of
    multilog, svlogd, s6-log or syslog, or an ISO date, or come from a container or journalctl -o json. Files compressed
    with gzip are read as they are. Lists of what has no end have as many rows as -n says. A log without a line of these
    programs is an error: exit 100.

    \b
    Example:
      $ pysumm --html /var/www/mail.html /var/log/smtpd/@* /var/log/smtpd/current
    """
    report = _report(LogFiles(files), rows)
    if page is not None:
        from . import page as pages  # what a terminal needs not

        pages.write(page, report)
    if as_json:
        tables.as_json(for_programs.report(report))
    else:
        text.tell(report)


def main() -> None:
    """Run pysumm."""
    djb_click.run("summ", "summ [ --json ] [ --html file ] [ -n rows ] [ file ... ]", _run)


def _run(args: list[str]) -> None:
    djb_click.invoke(summ, "pysumm", args)


def _report(files: LogFiles, rows: int) -> Report:
    progress = Progress(sys.stderr)
    reader, totals = Reader(datetime.now(UTC).date()), Totals()
    try:
        for line in progress.along("lines", files, files.share):
            totals.add(reader.read(line))
    finally:
        progress.end()
    report = totals.report(rows)
    if not report.understood:
        raise NoLines(f"no line of these programs that tells something in {report.lines} lines")
    return report
