"""A report: what is shown of a log, in whatever form. Never counts."""

from typing import NamedTuple

from .events import Load
from .hours import Counts
from .relays import Relays
from .returns import Returns
from .zones import Pair, ZoneRow

#: Zones, and pairs of them, that are shown at most.
LIST = 50


class Row(NamedTuple):
    """Something, and the number of times that it was there. name: as the log has it."""

    name: bytes
    number: int


class Clients(NamedTuple):
    """The most frequent clients and networks. missed: a count is at most so much too low."""

    clients: list[Row]
    networks: list[Row]
    missed: int


class Report(NamedTuple):
    """A log, summed up.

    lines: in it. understood: that told something. lost: that it says it has lost. first, last: seconds since 1970 by
    the log's clock, None = it has none. hours: the counts of each, by hours since 1970. peak: the most backends at
    once, 0 of 0 = not told. left: sessions that ended otherwise than by QUIT. triplets, networks: who came back to the
    greylists by triplet and by network. connecting, refused, delivering: clients, by what they did.
    """

    lines: int
    understood: int
    lost: int
    first: int | None
    last: int | None
    total: Counts
    hours: dict[int, Counts]
    peak: Load
    reasons: list[Row]
    restrictions: list[Row]
    checks: list[Row]
    left: list[Row]
    warnings: list[Row]
    zones: list[ZoneRow]
    pairs: list[Pair]
    triplets: Returns
    networks: Returns
    relays: Relays
    connecting: Clients
    refused: Clients
    delivering: Clients
