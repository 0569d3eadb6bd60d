"""Lists of which the first match decides -> rules, of which the narrowest does. Never reads a list.

Rules are looked up by address, =host, networks, =.domains and the default, in this order. Where a list treats clients
differently that one rule decides about, all of them get the least that any gets, and the difference is reported.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from ..rules.cidr import Network
from ..rules.data import instructions
from ..rules.source import line_records
from .cells import Flags, Mention, names, names_around, networks
from .deciding import DENY, Deciding
from .imported import EVERYBODY, NAMED, UNNAMED, Imported, Name, Subject, Unsaid, address, rule

#: What a client gets without any rule about it.
_NO_RULE = b"allow"
_NETWORK_FIRST = "it depends on their names what these clients get, and rules ask for addresses first"
_NAME_FIRST = "it depends on their addresses what these clients get, and rules ask for =host first"


class Entry(NamedTuple):
    """One entry of a list.

    clients: it is about those in the first tuple, except those in the second, except those in the third, and so on.
    where: its line.
    """

    instructions: bytes
    clients: tuple[tuple[Subject, ...], ...]
    where: str = ""


def rules(entries: Sequence[Entry], default: bytes = b"allow", ranks: Sequence[tuple[int, int]] = ()) -> Imported:
    """Compile a first-match list to rules, in the order in which it names its subjects.

    default: what clients get that no entry is about. ranks: one of each entry, the lowest decides first; empty = the
    order of the list counts.
    """
    entries = [_of_clients(entry) for entry in entries]
    ranked = [entries[number] for number in sorted(range(len(ranks)), key=lambda one: ranks[one])] or entries
    compiled = _Compiled(ranked, default)
    wanted: dict[Subject, str] = {}
    for entry in entries:
        for one in _mentioned(entry):
            for subject in (EVERYBODY, NAMED) if one == UNNAMED else (one,):
                wanted.setdefault(subject, entry.where)
    wanted.setdefault(EVERYBODY, "")
    found = {one: compiled.said(one) for one in wanted}
    lines = [rule(one, said.instructions) for one, said in found.items() if said.is_written]
    unsaid = [Unsaid(wanted[one], _shown(one), said.why) for one, said in found.items() if said.why]
    return Imported(tuple(lines), tuple(unsaid))


def _of_clients(entry: Entry) -> Entry:
    """An entry without IPv4 networks that are written as those of IPv6: no client has such an address."""
    if not any(_is_mapped(one) for some in entry.clients for one in some):
        return entry
    return entry._replace(clients=tuple(tuple(one for one in some if not _is_mapped(one)) for some in entry.clients))


def _is_mapped(subject: Subject) -> bool:
    if isinstance(subject, Name):
        return False
    return subject.bits == 128 and subject.length >= 96 and subject.base >> 32 == 0xFFFF


class _Said(NamedTuple):
    """The rule about a subject. is_written: it is needed. why: it gives less than the list does, "" = it does not."""

    instructions: bytes
    is_written: bool
    why: str = ""


class _InForce(NamedTuple):
    """A rule about a network around a client. is_exact: its keys are whole addresses, and no name is asked for."""

    instructions: bytes
    is_exact: bool


class _Names(NamedTuple):
    """The first entries about all names, for clients in networks with the same flags."""

    first: Mapping[Name, int]
    domains: Deciding
    all: Deciding
    networks: Deciding


class _Compiled:
    """A list, in the order in which its entries are asked."""

    def __init__(self, entries: Sequence[Entry], default: bytes) -> None:
        self._entries = entries
        self._says = [entry.instructions for entry in entries] + [default]
        self._grants_only = all(_only_grants(one) for one in {*self._says} - {DENY})
        mentions = _Mentions(entries)
        depths = [len(entry.clients) for entry in entries]
        subjects = {one for entry in entries for one in _mentioned(entry)}
        some_names = [one for one in subjects if isinstance(one, Name)]
        self._cells = networks(
            (one for one in subjects if isinstance(one, Network)), mentions.networks, mentions.flagged, depths
        )
        self._around = names_around(some_names)
        numbers: dict[Flags, set[int]] = {}
        for network, cell in self._cells.items():
            numbers.setdefault(cell.flags, set()).update([] if _is_exact(network) else [cell.first])
        self._names = {
            flags: self._of(names(some_names, mentions.names, flags, depths), some) for flags, some in numbers.items()
        }
        self._networks: dict[Network, tuple[_Said, _InForce | None]] = {}
        for network in self._cells:
            self._networks[network] = self._network(network)

    def said(self, subject: Subject) -> _Said:
        """The rule about a subject."""
        if subject == EVERYBODY:
            return self._everybody()
        if isinstance(subject, Network):
            return self._networks[subject][0]
        return self._domain(subject) if subject.below else self._host(subject)

    def _of(self, first: Mapping[Name, int], some_networks: Iterable[int]) -> _Names:
        domains = (number for name, number in first.items() if name.below or name == UNNAMED)
        return _Names(
            first,
            Deciding(domains, self._says),
            Deciding(first.values(), self._says),
            Deciding(some_networks, self._says),
        )

    def _first(self, name: Name) -> int:
        """The entry about a name in no network that is in the list."""
        cell = self._cells[EVERYBODY]
        return min(cell.first, self._names[cell.flags].first[name])

    def _everybody(self) -> _Said:
        number = self._first(UNNAMED)
        said = self._says[number]
        return _Said(said, said != _NO_RULE or self._names_it(number, EVERYBODY))

    def _domain(self, name: Name) -> _Said:
        """The rule of a domain: its clients are in no network that has a rule."""
        number = self._first(name)
        said = self._says[number]
        return _Said(said, said != self._says[self._first(self._around[name])] or self._names_it(number, name))

    def _network(self, network: Network) -> tuple[_Said, _InForce | None]:
        """Its rule, and the one that is in force there."""
        cell = self._cells[network]
        if cell.around is None:
            return _Said(b"", False), None
        kind = self._names[cell.flags]
        around = self._cells[cell.around]
        _, in_force = self._networks[cell.around]
        is_exact = _is_exact(network)
        others = kind.all if is_exact else kind.domains
        common = others.common(cell.first)
        names_it = common is not None and self._names_it(cell.first, network)
        if around.flags == cell.flags and others.is_same(around.first, cell.first) and not names_it:
            return _Said(b"", False), in_force
        why = "" if common is not None else _NETWORK_FIRST
        rule = _InForce(self._least(others.may_deny(cell.first)) if common is None else common, is_exact)
        return self._told(rule.instructions, names_it or rule != in_force, why), rule

    def _host(self, name: Name) -> _Said:
        """The rule of a host: it decides about all clients whose address alone has no rule."""
        around = self._around[name]
        kinds = [kind for kind in self._names.values() if kind.networks]
        some = {kind.networks.common(kind.first[name]) for kind in kinds}
        common = some.pop() if len(some) == 1 else None
        if common is not None and any(self._names_it(kind.first[name], name) for kind in kinds):
            return _Said(common, True)
        if all(kind.networks.is_same(kind.first[name], kind.first[around]) for kind in kinds):
            return _Said(b"", False)
        if common is not None:
            return _Said(common, True)
        return self._told(
            self._least(any(kind.networks.may_deny(kind.first[name]) for kind in kinds)), True, _NAME_FIRST
        )

    def _least(self, may_deny: bool) -> bytes:
        """The instructions for clients that should get different things: no more than any of these."""
        return DENY if may_deny or not self._grants_only else _NO_RULE

    def _told(self, said: bytes, is_written: bool, why: str) -> _Said:
        becomes = "denied" if said == DENY else "let in without variables"
        return _Said(said, is_written, f"{becomes}: {why}" if why else "")

    def _names_it(self, number: int, subject: Subject) -> bool:
        return number < len(self._entries) and subject in self._entries[number].clients[0]


class _Mentions:
    """Where each subject is mentioned: in entries about addresses, in those about names, in those about both."""

    def __init__(self, entries: Sequence[Entry]) -> None:
        self.networks: dict[Subject, list[Mention]] = {}
        self.names: dict[Subject, list[Mention]] = {}
        self.flagged: dict[Subject, list[Mention]] = {}
        for number, entry in enumerate(entries):
            mixed = len(entry.clients) > 1 and any(isinstance(one, Name) for one in _mentioned(entry))
            for level, some in enumerate(entry.clients):
                for one in some:
                    told = self.names if isinstance(one, Name) else self.flagged if mixed else self.networks
                    told.setdefault(one, []).append((number, level))


def _mentioned(entry: Entry) -> list[Subject]:
    return [one for some in entry.clients for one in some]


def _only_grants(said: bytes) -> bool:
    """Whether plain ``allow`` is no more than this."""
    variables = instructions(line_records(b":" + said)[0][1]).variables
    return all(name == b"RELAYCLIENT" or (name, value) == (b"RBLSMTPD", b"") for name, value in variables)


def _is_exact(network: Network) -> bool:
    """Whether its keys are whole addresses, which are asked for before =host."""
    return network.length > 24 if network.bits == 32 else network.length == 128


def _shown(subject: Subject) -> str:
    return "ALL" if subject == EVERYBODY else "KNOWN" if subject == NAMED else address(subject).decode("ascii")
