"""The kinds of records that greylists keep, and what an operator sees of one. Never has a store."""

from collections.abc import Callable
from enum import Enum
from typing import NamedTuple

from ...store.change import Kept, Tenant
from .. import visit
from ..triplet import changes
from .report import FirstVisit

#: The renewals of a network's record are so many parts of its memory apart (network.py).
_PARTS = 100
#: A triplet that was let in before we counted is seen by its times; postgrey's delay, in seconds.
_DELAY = 300


class Kind(Enum):
    """What is remembered: of networks (pygreylist), of triplets, of the clients that sent these."""

    NETWORK = "network"
    TRIPLET = "triplet"
    CLIENT = "client"


TENANTS: dict[Kind, Tenant] = {Kind.NETWORK: visit.TENANT, Kind.TRIPLET: changes.TRIPLETS, Kind.CLIENT: changes.CLIENTS}


class Entry(NamedTuple):
    """What is remembered under one key, in seconds since 1970 or seconds.

    first: the first visit; None = not kept. last: when it was last let in, as far as that was written down; None = it
    was not. waited: from the first visit until it was first let in; None = it was not, or that is not known. passes: of
    a client, as far as they counted; None = not kept. expires: the last second for which all that means anything.
    """

    kind: Kind
    key: str
    first: int | None
    last: int | None
    waited: int | None
    passes: int | None
    expires: int


def entry(kind: Kind, kept: Kept) -> Entry:
    """Read a record."""
    return _READ[kind](kept)


def first_visit(entry: Entry) -> FirstVisit | None:
    """What a record tells of a first visit; None = nothing, as for a client, or for what an operator has let in."""
    if entry.first is None or entry.first == entry.last:
        return None
    return FirstVisit(entry.first, entry.last is not None, entry.waited)


def _network(kept: Kept) -> Entry:
    """A record of a network. When it was let in is renewed: a delay is the first one where no renewal fits in it."""
    first, passed = kept.row
    is_first = passed is not None and 0 < passed - first <= (kept.expires - passed) // _PARTS
    return Entry(Kind.NETWORK, kept.key, first, passed, passed - first if is_first else None, None, kept.expires)


def _triplet(kept: Kept) -> Entry:
    first, last, waited = kept.row
    is_in = waited is not None or last - first >= _DELAY
    return Entry(Kind.TRIPLET, kept.key, first, last if is_in else None, waited, None, kept.expires)


def _client(kept: Kept) -> Entry:
    passes, last = kept.row
    return Entry(Kind.CLIENT, kept.key, None, last, None, passes, kept.expires)


_READ: dict[Kind, Callable[[Kept], Entry]] = {Kind.NETWORK: _network, Kind.TRIPLET: _triplet, Kind.CLIENT: _client}
