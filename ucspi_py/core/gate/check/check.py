"""All findings about a configuration, in the order of its lines."""

from collections.abc import Callable, Iterator

from ...errors import AskedWrongly
from ..greylist import traps as greylist
from ..milter.check import traps as milter
from ..policy import traps as policy
from . import domains, list_traps, networks, notes, parameter_traps, tables, zones
from .finding import Finding, error
from .open_relay import open_relays
from .reading import Reading
from .subject import Subject, Surroundings

Trap = Callable[[Subject], Iterator[Finding]]

#: Each finds one kind of trap.
TRAPS: tuple[Trap, ...] = (
    open_relays,
    networks.too_wide,
    networks.gateways,
    networks.proxies,
    domains.unknown_to_backend,
    domains.borrowed_senders,
    tables.broken,
    tables.wrong_values,
    tables.wrong_checks,
    tables.wrong_milters,
    zones.dead_zones,
    zones.sick_zones,
    list_traps.pipelining,
    list_traps.too_early,
    list_traps.too_late,
    list_traps.own_users,
    list_traps.old_names,
    list_traps.helo_not_required,
    list_traps.nameless_clients,
    list_traps.dead_ends,
    parameter_traps.overridden,
    parameter_traps.swallowed,
    parameter_traps.clear_passwords,
    parameter_traps.unchecked_passwords,
    parameter_traps.without_effect,
    parameter_traps.keys,
    parameter_traps.retried_for_days,
    parameter_traps.ledger,
    policy.policy_services,
    milter.answers,
    milter.listed_twice,
    milter.unscanned,
    milter.hidden_macros,
    milter.old_version,
    greylist.never_asked,
    greylist.unused,
    greylist.long_text,
    greylist.unusable,
    notes.passed_by,
    notes.postscreen,
)


def check(reading: Reading, around: Surroundings) -> tuple[Finding, ...]:
    """Find all errors and traps of a configuration, each once, in the order of its lines."""
    subject = Subject(reading, around)
    found = list(reading.errors)
    for trap in TRAPS:
        found += _found(trap, subject)
    return tuple(sorted(dict.fromkeys(found), key=_order(reading)))


def _order(reading: Reading) -> Callable[[Finding], tuple[int, str, int]]:
    """By the files in their order, and whatever else has a place behind them; then by lines."""
    files = dict.fromkeys(one.value.place for one in reading.configuration.settings)
    ranks = {place: rank for rank, place in enumerate(files)}
    return lambda one: (ranks.get(one.file, len(ranks) if one.where else -1), one.file, one.line)


def _found(trap: Trap, subject: Subject) -> Iterator[Finding]:
    try:
        yield from trap(subject)
    except AskedWrongly as wrong:
        yield error(wrong.sentence)
