"""A cidr: access table of Postfix (cidr_table(5), dict_cidr.c) -> rules source."""

import re
from typing import NamedTuple

from ...rules.cidr import Network
from ..first_match import Entry, rules
from ..imported import Imported, Subject, Unsaid, contains
from .action import instructions
from .lines import all_of, logical_lines, network

_IF = re.compile(r"if(?![0-9A-Za-z])([!\s]*)(.*)", re.IGNORECASE | re.DOTALL)
_ENDIF = re.compile(r"endif(?![0-9A-Za-z])\s*(.*)", re.IGNORECASE | re.DOTALL)
_RULE = re.compile(r"([!\s]*)(\S*)\s*(.*)", re.DOTALL)
_SKIPPED = "Postfix skips the line"


class _Pattern(NamedTuple):
    network: Network
    is_negated: bool


def import_cidr(text: str) -> Imported:
    """Import a cidr: table of check_client_access: networks and actions, the first match decides."""
    entries: list[Entry] = []
    unsaid: list[Unsaid] = []
    conditions: list[_Pattern] = []
    for number, line in logical_lines(text):
        where = f"line {number}"
        block, end = _IF.fullmatch(line), _ENDIF.fullmatch(line)
        if block:
            why = _begin(block, conditions)
        elif end:
            why = _end(end[1], conditions)
        else:
            why = _take(line, where, conditions, entries)
        if why:
            unsaid.append(Unsaid(where, *why))
    found = rules(entries)
    return Imported(found.lines, (*unsaid, *found.unsaid))


def _begin(block: re.Match[str], conditions: list[_Pattern]) -> tuple[str, str] | None:
    found = network(block[2])
    if isinstance(found, str):
        return block[0], f"{found}: {_SKIPPED}, and what stands inside counts for everybody"
    conditions.append(_Pattern(found, block[1].count("!") % 2 == 1))
    return None


def _end(rest: str, conditions: list[_Pattern]) -> tuple[str, str] | None:
    if rest or not conditions:
        return "endif", f"there is no if before it, or something behind it: {_SKIPPED}"
    conditions.pop()
    return None


def _take(line: str, where: str, conditions: list[_Pattern], entries: list[Entry]) -> tuple[str, str] | None:
    """Read a pattern and its action; what is odd about it comes back, with why."""
    found = _RULE.fullmatch(line)
    nots, pattern, action = found.groups() if found else ("", line, "")
    subject = network(pattern)
    if isinstance(subject, str):
        return nots + pattern, f"{subject}: {_SKIPPED}"
    if not action:
        return "no action", _SKIPPED
    said = instructions(action)
    clients = _clients([*conditions, _Pattern(subject, nots.count("!") % 2 == 1)])
    if clients:
        entries.append(Entry(said.instructions, clients, where))
    return (action, said.why) if said.why else None


def _clients(patterns: list[_Pattern]) -> tuple[tuple[Subject, ...], ...]:
    """The clients that all of these patterns match; a negated one too matches only its own family."""
    inside = all_of(patterns[-1].network.bits)
    for pattern in patterns:
        if pattern.network.bits != inside.bits:
            return ()
        if pattern.is_negated or contains(pattern.network, inside):
            continue
        if not contains(inside, pattern.network):
            return ()
        inside = pattern.network
    return (inside,), tuple(pattern.network for pattern in patterns if pattern.is_negated)
