"""Lists of which the first match decides -> rules, of which the narrowest does. Never reads a list.

The networks of a list lie inside each other or apart, and so do its domains. So whoever is in one of them, and in no
narrower one, meets the same entries: the list is asked once for each, and the answer is its rule.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from ..rules_cidr import Network
from .imported import EVERYBODY, Name, Subject, contains, rule

#: What a client gets whom no entry is about.
_NOTHING = b"allow"


class Entry(NamedTuple):
    """One entry of a list: about clients in one of ``include``, in none of ``exclude`` and in all of ``within``."""

    instructions: bytes
    include: tuple[Subject, ...]
    exclude: tuple[Subject, ...] = ()
    within: tuple[Subject, ...] = ()

    def is_about(self, subject: Subject) -> bool:
        """Whether it is about those in a subject who are in no narrower one."""
        return (
            any(contains(one, subject) for one in self.include)
            and not any(contains(one, subject) for one in self.exclude)
            and all(contains(one, subject) for one in self.within)
        )


class _Place(NamedTuple):
    """Where a subject stands: the narrowest one around it, and the number of the entry that decides about it."""

    around: Subject | None
    entry: int | None


def rules(entries: Sequence[Entry]) -> tuple[bytes, ...]:
    """The rules that do what a list does, in the order of the list."""
    subjects = list({one: None for entry in entries for one in (*entry.include, *entry.exclude, *entry.within)})
    places = _networks(entries, subjects) | _names(entries, subjects)

    def said(subject: Subject | None) -> bytes:
        number = places[subject].entry if subject in places else None
        return _NOTHING if number is None else entries[number].instructions

    lines = []
    for subject in subjects:
        around, number = places[subject]
        if (number is not None and subject in entries[number].include) or said(subject) != said(around):
            lines.append(rule(subject, said(subject)))
    return tuple(lines)


def mixes_names_and_networks(entries: Sequence[Entry]) -> bool:
    """Whether a list may decide by its order between a name and a network, which rules always do in their own."""
    narrow = [(entry, one) for entry in entries for one in entry.include if one != EVERYBODY]
    kinds = {isinstance(one, Name) for _, one in narrow}
    return len(kinds) > 1 and len({entry.instructions for entry, _ in narrow}) > 1


def _networks(entries: Sequence[Entry], subjects: Iterable[Subject]) -> dict[Subject, _Place]:
    """The places of networks. Sorted, they are a walk through their tree."""
    plain, others = _first_entries(entries)
    places: dict[Subject, _Place] = {}
    path: list[tuple[Network, int]] = []
    for network in sorted(one for one in subjects if isinstance(one, Network)):
        while path and not contains(path[-1][0], network):
            path.pop()
        around, first = path[-1] if path else (None, len(entries))
        first = min(first, plain.get(network, first))
        path.append((network, first))
        decides = next((number for number in others if number < first and entries[number].is_about(network)), first)
        places[network] = _Place(around, decides if decides < len(entries) else None)
    return places


def _names(entries: Sequence[Entry], subjects: Iterable[Subject]) -> dict[Subject, _Place]:
    names = [one for one in subjects if isinstance(one, Name)]
    places: dict[Subject, _Place] = {}
    for name in names:
        outer = [one for one in names if one != name and contains(one, name)]
        around = max(outer, key=lambda one: len(one.text)) if outer else EVERYBODY
        decides = next((number for number, entry in enumerate(entries) if entry.is_about(name)), None)
        places[name] = _Place(around, decides)
    return places


def _first_entries(entries: Sequence[Entry]) -> tuple[dict[Subject, int], list[int]]:
    """The first entry about each subject, and apart from these the entries with exceptions or conditions."""
    plain: dict[Subject, int] = {}
    others = []
    for number, entry in enumerate(entries):
        if entry.exclude or entry.within:
            others.append(number)
        else:
            for subject in entry.include:
                plain.setdefault(subject, number)
    return plain, others
