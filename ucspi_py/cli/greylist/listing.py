"""pygreylist list and show: the records as an operator sees them."""

import asyncio
import sys
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterable
from contextlib import aclosing
from textwrap import indent
from typing import NoReturn

import click

from ...core.greylist.records import where as places
from ...core.greylist.records.kinds import Entry, Kind
from ...core.greylist.records.where import Wanted
from ...system.greylist.records import GreylistRecords, now
from .. import tables
from ..chain.store_option import store_option
from . import where_options
from .spans import span

#: The columns, and how wide each is at least: of millions of records nobody waits for the widest.
_WIDTHS = {"kind": 7, "record": 32, "state": 8, "first visit": 11, "let in": 11, "waited": 7, "ends": 7}


@click.command("list")
@store_option
@tables.json_option
@where_options.kind_option
@click.pass_context
def list_records(ctx: click.Context, store: str, kind: Kind | None, *, as_json: bool) -> None:
    """List all that greylists remember: networks (pygreylist), triplets and the clients that sent these.

    \b
    Example:
      $ pygreylist list -s /var/lib/greylist/db --kind network
      kind     record                            state     first visit  let in       waited   ends
      network  192.0.2.0/24                      known     2 d ago      388 s ago    12 min   in 34 d
      network  198.51.100.0/24                   waiting   12 s ago                           in 47 h
    """
    wanted = [places.everything(one) for one in Kind if kind in (None, one)]
    _say(ctx, store, wanted, as_json=as_json)


@click.command("show")
@store_option
@tables.json_option
@where_options.kind_option
@where_options.meaning
@click.pass_context
def show(
    ctx: click.Context,
    store: str,
    kind: Kind | None,
    where: str,
    sender: str | None,
    recipient: str | None,
    *,
    as_json: bool,
) -> None:
    """Show what is remembered of WHERE, a network, an address or a domain, or of one triplet there.

    A domain has triplets alone, where these are kept by names. SENDER and RECIPIENT are addresses; the empty sender is
    '<>'.

    \b
    Example:
      $ pygreylist show -s /var/lib/greylist/db 192.0.2.7
      kind     record                            state     first visit  let in       waited   ends
      network  192.0.2.0/24                      known     2 d ago      388 s ago    12 min   in 34 d
    """
    _say(ctx, store, where_options.wanted(kind, where, sender, recipient), as_json=as_json)


COMMANDS: tuple[click.Command, ...] = (list_records, show)


def _say(ctx: click.Context, store: str, wanted: list[Wanted], *, as_json: bool) -> NoReturn:
    """Print records one by one, however many there are, and exit."""
    entries = _entries(GreylistRecords(store), wanted)
    ctx.exit(0 if asyncio.run(_said(entries, _as_json if as_json else _as_table)) else 1)


async def _said(entries: AsyncGenerator[Entry, None], say: Callable[[AsyncIterator[Entry]], Awaitable[int]]) -> int:
    async with aclosing(entries):  # whoever reads us may have read enough
        return await say(entries)


async def _entries(records: GreylistRecords, wanted: list[Wanted]) -> AsyncGenerator[Entry, None]:
    for some in wanted:
        async with aclosing(records.entries(some)) as entries:
            async for one in entries:
                yield one


async def _as_table(entries: AsyncIterator[Entry]) -> int:
    number, at = 0, now()
    async for one in entries:
        if not number:
            click.echo(click.style(_line(_WIDTHS), bold=True))
        sys.stdout.write(_line(_row(one, at)) + "\n")
        number += 1
    return number


async def _as_json(entries: AsyncIterator[Entry]) -> int:
    """An array, as json.dumps() with an indent has it."""
    import json  # not for tables

    number = 0
    async for one in entries:
        text = json.dumps({**one._asdict(), "kind": one.kind.value}, indent=2)
        sys.stdout.write((",\n" if number else "[\n") + indent(text, "  "))
        number += 1
    sys.stdout.write("\n]\n" if number else "[]\n")
    return number


def _row(one: Entry, at: int) -> tuple[str, ...]:
    state = f"passes {one.passes}" if one.passes is not None else "waiting" if one.last is None else "let in"
    times = (f"{span(max(at - time, 0))} ago" if time is not None else "" for time in (one.first, one.last))
    waited = "" if one.waited is None else span(one.waited)
    return one.kind.value, one.key, state, *times, waited, f"in {span(one.expires - at)}"


def _line(cells: Iterable[str]) -> str:
    return "  ".join(f"{cell:{width}}" for cell, width in zip(cells, _WIDTHS.values(), strict=True)).rstrip()
