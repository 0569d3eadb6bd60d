"""Who is inside, on a terminal with rich: a table that is drawn anew in its place."""

import time
from collections.abc import Mapping
from typing import Any

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from ...core.top import table
from ...system.top.asking import ask

#: Seconds between two looks.
_LOOKS = 1.0
#: Lines that the table needs beside its rows, and what is said of those that have no room.
_FRAME = 3


def run(path: str) -> None:
    """Show it until somebody presses Ctrl-C. Raises Failure once the service is gone."""
    console = Console(highlight=False)
    live = Live(drawn(ask(path), console.height), console=console, screen=True, auto_refresh=False)
    try:  # and no with block, which leaves the screen as it is if Ctrl-C comes on its way in
        live.start(refresh=True)
        while True:
            time.sleep(_LOOKS)
            live.update(drawn(ask(path), console.height), refresh=True)
    finally:
        live.stop()


def drawn(snapshot: Mapping[str, Any], height: int) -> Group:
    """Draw a snapshot. height: lines of the terminal. All is Text: no client's words are markup."""
    lines = [Text(line, no_wrap=True, overflow="ellipsis") for line in table.summary(snapshot)]
    lines[0].stylize("bold")
    for line in lines:
        line.highlight_words(["DOWN"], "bold red")
    clients = snapshot["clients"]
    room = max(1, height - len(lines) - _FRAME)
    grid = Table(box=None, pad_edge=False, header_style="reverse", expand=True)
    for number, heading in enumerate(table.HEADINGS):
        grid.add_column(heading, justify="right" if number in table.NUMBERS else "left", no_wrap=True)
    for client in clients[:room]:
        grid.add_row(*map(Text, table.cells(client)))
    more = [Text(f"and {len(clients) - room} more", style="dim")] if len(clients) > room else []
    return Group(*lines, grid, *more)
