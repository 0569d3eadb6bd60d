"""Postfix's mynetworks and its cidr: access tables (postconf(5), cidr_table(5)) -> rules source."""

import re
from collections.abc import Iterator

from .first_match import Entry, rules
from .imported import EVERYBODY, Imported, Subject, Unsaid, network
from .postfix_action import instructions

_MYNETWORKS = re.compile(r"mynetworks\s*=(.*)", re.DOTALL)
_RELAYS = b'allow,RELAYCLIENT=""'


def logical_lines(text: str) -> Iterator[tuple[int, str]]:
    """The lines of a Postfix file with their numbers: without comments, continued ones as one."""
    begun, parts = 0, ""
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        if line[0].isspace() and begun:
            parts += " " + line.strip()
            continue
        if begun:
            yield begun, parts
        begun, parts = number, line.strip()
    if begun:
        yield begun, parts


def import_mynetworks(text: str) -> Imported:
    """main.cf, or only what stands behind ``mynetworks =``; those in it may relay."""
    lines = list(logical_lines(text))
    settings = [(number, found[1]) for number, line in lines if (found := _MYNETWORKS.fullmatch(line))]
    entries: list[Entry] = []
    unsaid: list[Unsaid] = []
    for number, value in settings[-1:] or lines:
        for pattern in re.split(r"[\s,]+", value.strip()):
            subject = network(pattern.removeprefix("!"))
            if subject:
                entries.append(Entry(b"allow" if pattern.startswith("!") else _RELAYS, (subject,)))
            elif pattern:
                unsaid.append(Unsaid(f"line {number}", pattern, "it is no network; files and tables are not read"))
    return Imported(rules(entries), tuple(unsaid))


def import_cidr(text: str) -> Imported:
    """A cidr: table of check_client_access: networks and actions, the first match decides."""
    entries: list[Entry] = []
    unsaid: list[Unsaid] = []
    conditions: list[tuple[Subject, bool] | None] = []
    for number, line in logical_lines(text):
        where = f"line {number}"
        pattern, action = (*line.split(None, 1), "")[:2]
        if pattern.lower() == "endif":
            conditions[-1:] = []
        elif pattern.lower() == "if":
            conditions.append(_condition(action))
        elif None in conditions:
            unsaid.append(Unsaid(where, line, "the if around it cannot be read"))
        else:
            said = instructions(action, where, unsaid)
            entry = _entry(pattern, said, [one for one in conditions if one]) if said else None
            if entry:
                entries.append(entry)
            elif said:
                unsaid.append(Unsaid(where, pattern, "it is no network"))
    return Imported(rules(entries), tuple(unsaid))


def _condition(pattern: str) -> tuple[Subject, bool] | None:
    """The network of an if, and whether it is negated."""
    subject = network(pattern.removeprefix("!"))
    return (subject, pattern.startswith("!")) if subject else None


def _entry(pattern: str, said: bytes, conditions: list[tuple[Subject, bool]]) -> Entry | None:
    subject = network(pattern.removeprefix("!"))
    if not subject:
        return None
    negated = tuple(one for one, is_negated in conditions if is_negated)
    within = tuple(one for one, is_negated in conditions if not is_negated)
    if pattern.startswith("!"):
        return Entry(said, (EVERYBODY,), (subject, *negated), within)
    return Entry(said, (subject,), negated, within)
