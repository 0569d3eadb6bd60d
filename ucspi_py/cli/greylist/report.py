"""pygreylist report: what became of first visits, in numbers."""

import asyncio

import click

from ...core.greylist.records.kinds import Kind, first_visit
from ...core.greylist.records.report import Report, Tally
from ...core.greylist.records.where import everything
from ...system.greylist.records import GreylistRecords, now
from .. import tables
from ..chain.greylist_options import delay_option, window_option
from ..chain.store_option import store_option
from .spans import span

_KINDS = (Kind.NETWORK, Kind.TRIPLET)
#: Characters of the longest bar.
_WIDTH = 40


@click.command("report")
@store_option
@tables.json_option
@delay_option
@window_option
@click.pass_context
def report(ctx: click.Context, store: str, delay: int, window: int, *, as_json: bool) -> None:
    """Report how many first visits within the window were never followed by another, and the delays of all others.

    \b
    Example:
      $ pygreylist report -s /var/lib/greylist/db
      networks: 5230, first visits of the last 2 d: 900
        let in since             300   33 %
        not back after 300 s     580   64 %
        still have to wait        20    2 %
      delay of 5000, not known of 230
         50 %  7 min
        100 %  31 h
        to 5 min   ##                                          210
        to 10 min  ########################################   3800
        ...
    """
    reports = asyncio.run(_reports(GreylistRecords(store), delay, window))
    if as_json:
        tables.as_json({kind.value: _for_programs(one) for kind, one in reports.items()})
    else:
        for kind, one in reports.items():
            _tell(kind, one, delay, window)
    ctx.exit(0 if reports else 1)


async def _reports(records: GreylistRecords, delay: int, window: int) -> dict[Kind, Report]:
    """Of each kind that has records."""
    reports = {}
    for kind in _KINDS:
        tally = Tally(now(), delay, window)
        async for entry in records.entries(everything(kind)):
            visit = first_visit(entry)
            if visit:
                tally.count(visit)
        reports[kind] = tally.report()
    return {kind: one for kind, one in reports.items() if one.records}


def _tell(kind: Kind, report: Report, delay: int, window: int) -> None:
    recent = report.recent
    click.echo(
        click.style(
            f"{kind.value}s: {report.records}, first visits of the last {span(window)}: {sum(recent)}", bold=True
        )
    )
    names = ("let in since", f"not back after {span(delay)}", "still have to wait")
    for name, number in zip(names, recent, strict=True):
        click.echo(f"  {name:24}  {number:8}  {100 * number // max(sum(recent), 1):3} %")
    if report.delays:
        click.echo(f"delay of {report.delays}, not known of {report.unknown}")
    for percent, seconds in report.quantiles.items():
        click.echo(f"  {percent:3} %  {span(seconds)}")
    highest = max(report.bars.values(), default=1)
    for bound, count in report.bars.items():
        name = "longer" if bound is None else f"to {span(bound)}"
        click.echo(f"  {name:9}  {'#' * -(-count * _WIDTH // highest):{_WIDTH}}  {count:8}")


def _for_programs(report: Report) -> dict[str, object]:
    bars = [{"seconds": bound, "visits": count} for bound, count in report.bars.items()]
    return {**report._asdict(), "recent": report.recent._asdict(), "bars": bars}
