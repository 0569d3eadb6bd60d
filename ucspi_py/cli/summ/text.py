"""A report for a terminal, or for a mail: tables with bars. Never decides what is in it."""

import click

from ...core.summary.report import Report
from ...core.summary.tables import Cell, Table, span, tables

#: Characters of the longest bar, and what each part of one is drawn with.
_WIDTH = 40
_MARKS = "#."


def tell(report: Report) -> None:
    """Print a report. Each text in it is printable: what could steer a terminal is written as an escape."""
    click.echo(span(report))
    for table in tables(report):
        click.echo()
        click.echo(click.style(table.title, bold=True))
        for line in _lines(table):
            click.echo("  " + line)


def _lines(table: Table) -> list[str]:
    """The headings, and each row with its bar."""
    cells = [tuple(map(_written, row)) for row in table.rows]
    widths = [max(map(len, column)) for column in zip(table.headings, *cells, strict=True)]
    numbers = [not isinstance(cell, str) for cell in table.rows[0]]
    drawn = _drawn(table)
    rows = [(table.headings, drawn[0]), *zip(cells, drawn[1], strict=True)]
    return [_line(row, widths, numbers, bar) for row, bar in rows]


def _line(cells: tuple[str, ...], widths: list[int], numbers: list[bool], bar: str) -> str:
    aligned = (
        f"{cell:>{width}}" if number else f"{cell:{width}}"
        for cell, width, number in zip(cells, widths, numbers, strict=True)
    )
    return "  ".join((*aligned, bar)).rstrip()


def _drawn(table: Table) -> tuple[str, list[str]]:
    """The bar's own heading, which tells its parts apart, and the bar of each row."""
    parts = [[_number(row[column]) for column in table.bars] for row in table.rows]
    highest = max((sum(one) for one in parts), default=0) or 1
    legend = "  ".join(f"{mark} {table.headings[column]}" for mark, column in zip(_MARKS, table.bars, strict=False))
    return legend if len(table.bars) > 1 else "", [_bar(one, highest) for one in parts]


def _bar(parts: list[float], highest: float) -> str:
    """Draw each part that is above 0 with one character at least."""
    return "".join(mark * -int(-part * _WIDTH // highest) for mark, part in zip(_MARKS, parts, strict=False))


def _number(cell: Cell) -> float:
    return 0.0 if isinstance(cell, str) else float(cell)


def _written(cell: Cell) -> str:
    return cell if isinstance(cell, str) else f"{cell:,}"
