"""A snapshot as lines of text: what stands above the table, and its cells. Never prints.

Every text of a snapshot is made printable once more, whoever has sent it.
"""

from collections.abc import Iterator, Mapping
from typing import Any

HEADINGS = ("CLIENT", "NAME", "STATE", "SECONDS", "IN", "OUT", "WAITS FOR", "USER")
#: Those whose cells are numbers.
NUMBERS = frozenset((3, 4, 5))
_LONGEST = 40
_UNITS = ("", "K", "M", "G", "T")
_STEP = 1024
_UNKNOWN = "-"


def summary(snapshot: Mapping[str, Any]) -> Iterator[str]:
    """Tell of the service as a whole: its slots, how often what happens, and its zones."""
    slots, held = snapshot["slots"], snapshot["held"]
    yield (
        f"{printable(snapshot['service'])}  {snapshot['workers']} workers  slots {slots['used']}/{slots['limit']}"
        f"  held {held['used']}/{held['limit']}"
    )
    rates = [f"{printable(name)} {rate:g}/s" for name, rate in snapshot["per_second"].items() if rate]
    yield "  ".join(rates) or "nobody comes"
    for zone in snapshot["zones"]:
        up = "up" if zone["up"] else "DOWN"
        counts = "  ".join(f"{name} {zone[name]}" for name in ("asked", "listed", "errors", "timeouts", "skipped"))
        yield f"zone {printable(zone['zone'])} {up}  {counts}"


def cells(client: Mapping[str, Any]) -> tuple[str, ...]:
    """The cells of a client, as HEADINGS."""
    return (
        printable(client["client"]),
        printable(client["name"] or client["helo"]),
        printable(client["state"]),
        f"{client['seconds']:.0f}",
        _amount(client["bytes_received"]),
        _amount(client["bytes_sent"]),
        printable(client["waits_for"]),
        printable(client["user"]),
    )


def printable(text: object) -> str:
    """A text that moves no cursor and changes no colour, cut to fit; None is a dash."""
    if text is None:
        return _UNKNOWN
    shown = "".join(char if char.isprintable() else ascii(char)[1:-1] for char in str(text)[:_LONGEST])
    return shown[: _LONGEST - 1] + "…" if len(shown) >= _LONGEST else shown


def _amount(number: int | None) -> str:
    if number is None:
        return _UNKNOWN
    amount, unit = float(number), 0
    while amount >= _STEP and unit < len(_UNITS) - 1:
        amount, unit = amount / _STEP, unit + 1
    return f"{amount:.0f}{_UNITS[unit]}" if unit == 0 or amount >= 10 else f"{amount:.1f}{_UNITS[unit]}"
