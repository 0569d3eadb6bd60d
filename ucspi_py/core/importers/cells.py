"""The cells into which the subjects of a list cut all clients, and which entry comes first in each. Never judges one.

The networks of a list lie inside each other or apart, and so do its domains: all clients in one of them, and in no
narrower one, meet the same entries. Sorted, they are a walk through their tree, on which the entries are kept that
are about the cell where it stands.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from heapq import heappop, heappush
from typing import NamedTuple, TypeVar

from ..rules.cidr import Network
from .imported import EVERYBODY, NAMED, UNNAMED, Name, Subject, contains

#: A place where an entry names a subject: the number of the entry, and of the list in it.
Mention = tuple[int, int]
#: What mentions of entries that look at names are true for a network.
Flags = frozenset[Mention]
Mentions = Mapping[Subject, Sequence[Mention]]
_Some = TypeVar("_Some", Network, Name)


class Cell(NamedTuple):
    """The clients in a network and in no narrower one.

    around: the next wider network, None = none. first: the number of the first entry about them. flags: what is true
    there of entries that look at names too.
    """

    around: Network | None
    first: int
    flags: Flags


class Standing:
    """Which entries are about the cell where a walk stands. depths: how many lists each entry has, by its number."""

    def __init__(self, depths: Sequence[int]) -> None:
        self._counts = [[0] * depth for depth in depths]
        self._about: list[int] = []
        self._end = len(depths)

    def enter(self, mentions: Iterable[Mention]) -> None:
        """Step into the clients that these mentions are about."""
        self._count(mentions, 1)

    def leave(self, mentions: Iterable[Mention]) -> None:
        """Step out again."""
        self._count(mentions, -1)

    def first(self) -> int:
        """The number of the first entry; behind the last one where there is none."""
        while self._about and not self._is_about(self._about[0]):
            heappop(self._about)
        return self._about[0] if self._about else self._end

    def _count(self, mentions: Iterable[Mention], step: int) -> None:
        for entry, level in mentions:
            self._counts[entry][level] += step
            if self._is_about(entry):
                heappush(self._about, entry)

    def _is_about(self, entry: int) -> bool:
        """In the first list, and not in the second, unless in the third, and so on (hosts_access.c, list_match)."""
        counts = self._counts[entry]
        return (counts.index(0) if 0 in counts else len(counts)) % 2 == 1


def networks(
    subjects: Iterable[Network], mentions: Mentions, flagged: Mentions, depths: Sequence[int]
) -> dict[Network, Cell]:
    """Compute the cells of all networks, that of everybody first.

    mentions: of entries that look at addresses only. flagged: of those that look at names too. depths: how many lists
    each entry has, by its number.
    """
    standing = Standing(depths)
    cells: dict[Network, Cell] = {}
    known: dict[Flags, Flags] = {}
    for network, path in _walk(sorted({EVERYBODY, *subjects}), standing, mentions):
        around = path[-2] if len(path) > 1 else None
        flags = cells[around].flags if around else Flags()
        if network in flagged:
            flags = flags.union(flagged[network])
        cells[network] = Cell(around, standing.first(), known.setdefault(flags, flags))
    return cells


def names(subjects: Iterable[Name], mentions: Mentions, flags: Flags, depths: Sequence[int]) -> dict[Name, int]:
    """Find the first entry about each name, UNNAMED and NAMED included, for clients in a network with these flags.

    depths: how many lists each entry has, by its number. The result is a number too, ``len(depths)`` for no entry.
    """
    standing = Standing(depths)
    standing.enter(flags)
    standing.enter(mentions.get(UNNAMED, ()))
    first = {UNNAMED: standing.first()}
    standing.leave(mentions.get(UNNAMED, ()))
    for name, _ in _walk(in_order(subjects), standing, mentions):
        first[name] = standing.first()
    return first


def in_order(subjects: Iterable[Name]) -> list[Name]:
    """All names, NAMED first, each one before those inside it."""
    found = {NAMED, *subjects} - {UNNAMED}
    return sorted(found, key=lambda one: (one.text.split(".")[::-1] if one.text else [], one.below))


def names_around(subjects: Iterable[Name]) -> dict[Name, Name]:
    """The next wider name around each; that around NAMED is UNNAMED, whose rule is everybody's."""
    around = {}
    for name, path in _walk(in_order(subjects), Standing(()), {}):
        around[name] = path[-2] if len(path) > 1 else UNNAMED
    return around


def _walk(subjects: Iterable[_Some], standing: Standing, mentions: Mentions) -> Iterator[tuple[_Some, list[_Some]]]:
    """Yield each subject with the path to it, while standing in it."""
    path: list[_Some] = []
    for subject in subjects:
        while path and not contains(path[-1], subject):
            standing.leave(mentions.get(path.pop(), ()))
        path.append(subject)
        standing.enter(mentions.get(subject, ()))
        yield subject, path
