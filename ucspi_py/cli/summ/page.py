"""A report as one page for a browser, which loads nothing and runs nothing. Never decides what is in it."""

import base64
import hashlib
import os
import tempfile
from contextlib import suppress

from ...core.errors import unable
from ...core.summary.report import Report
from ...core.summary.tables import Cell, Table, span, tables
from . import plots
from .markup import Markup, document, element, empty, joined, style

_TITLE = "Mail and refusals"
_STYLE = """
body{font:15px/1.45 system-ui,sans-serif;color:#222;background:#fff;max-width:1080px;margin:24px auto;padding:0 16px}
h1{font-size:24px;margin:0 0 4px}h2{font-size:17px;margin:32px 0 6px;border-bottom:1px solid #ddd}
p{margin:4px 0 8px;color:#555}table{border-collapse:collapse}.plot{width:100%;height:auto}
th{text-align:left;font-weight:600;color:#555;vertical-align:bottom}th,td{padding:2px 10px 2px 0}
td{overflow-wrap:break-word;max-width:520px}.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}.s{white-space:nowrap}
section{overflow-x:auto}.key{margin-right:16px;color:#555}tr:nth-child(even) td{background:#f7f7f7}
"""
#: Characters of a text that is shown on one line.
_SHORT = 30
#: Who may read the page: it is for a web server.
_MODE = 0o644


def page(report: Report) -> str:
    """Make the page. Its policy lets a browser load nothing at all; the style sheet is known by its hash."""
    digest = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    head = element(
        "head",
        empty("meta", charset="utf-8"),
        empty("meta", http_equiv="Content-Security-Policy", content=policy),
        empty("meta", name="viewport", content="width=device-width, initial-scale=1"),
        empty("meta", name="referrer", content="no-referrer"),
        element("title", _TITLE),
        style(_STYLE),
    )
    said = (element("h1", _TITLE), element("p", span(report)))
    return document(head, element("body", *said, *map(_section, tables(report))))


def write(file: str, report: Report) -> None:
    """Write the page; who reads the file meanwhile finds the old one or the new one. Raises Failure."""
    folder = os.path.dirname(file) or "."
    try:
        descriptor, name = tempfile.mkstemp(prefix=".pysumm-", dir=folder)
        try:
            with open(descriptor, "w", encoding="utf-8") as stream:
                stream.write(page(report))
                os.fchmod(stream.fileno(), _MODE)
            os.replace(name, file)
        except BaseException:
            with suppress(OSError):
                os.unlink(name)
            raise
    except OSError as error:
        raise unable(f"write {file}", error) from None


def _section(table: Table) -> Markup:
    title = element("h2", table.title)
    note = element("p", table.note) if table.note else Markup()
    is_time = len(table.bars) > 1 and table.title.startswith("by ")
    legend = plots.legend(table) if len(table.bars) > 1 else Markup()
    return element("section", title, note, legend, plots.columns(table) if is_time else _table(table))


def _table(table: Table) -> Markup:
    numbers = [not isinstance(cell, str) for cell in table.rows[0]]
    sides = ("n" if number else "t" for number in numbers)
    heads = (element("th", head, class_=side) for head, side in zip(table.headings, sides, strict=True))
    highest = plots.highest(table)
    rows = (_row(table, row, highest) for row in table.rows)
    return element("table", element("tr", *heads, element("th")), *rows)


def _row(table: Table, row: tuple[Cell, ...], highest: float) -> Markup:
    cells = (
        element("td", cell, class_="t" if len(cell) > _SHORT else "s")
        if isinstance(cell, str)
        else element("td", f"{cell:,}", class_="n")
        for cell in row
    )
    return element("tr", *cells, element("td", plots.bar(table, row, highest) if table.bars else joined()))
