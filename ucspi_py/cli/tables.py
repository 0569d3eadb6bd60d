"""Output of pyrules: a table for people, JSON for programs. Never decides what is in it."""

import sys
from collections.abc import Iterable, Sequence

import click

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")


def table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print rows in columns, the headings bold on a terminal. Nothing at all where there are no rows."""
    lines = [tuple(row) for row in rows]
    if not lines:
        return
    widths = [max(map(len, column)) for column in zip(headings, *lines, strict=True)]
    click.echo(click.style(_line(headings, widths), bold=True))
    for line in lines:
        click.echo(_line(line, widths))


def as_json(value: object) -> None:
    """Print a value as JSON."""
    import json  # not for tables

    click.echo(json.dumps(value, indent=2, ensure_ascii=False))


def source(*lines: bytes) -> None:
    """Print lines of source as the bytes that they are."""
    sys.stdout.buffer.writelines(line + b"\n" for line in lines)


def flush() -> None:
    """Flush standard output before anything is written to standard error."""
    sys.stdout.flush()


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(f"{cell:{width}}" for cell, width in zip(cells, widths, strict=True)).rstrip()
