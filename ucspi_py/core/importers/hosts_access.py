"""hosts.allow and hosts.deny of TCP wrappers (hosts_access(5), hosts_options(5)) -> rules source."""

import re
from collections.abc import Iterator
from typing import NamedTuple

from ..rules_cidr import Network
from .first_match import Entry, mixes_names_and_networks, rules
from .imported import EVERYBODY, NAMED, Imported, Subject, Unsaid, name, network, prefix, variable

_ORDER = (
    "the first line that matches decides there; rules ask for an address, =host, a network and =.domain in this order"
)
_FIELD = re.compile(r"(?<!\\):(?![^\[\]]*\])")
_NETWORK = re.compile(r"\[.*\](?:/[0-9]+)?|[0-9.]+(?:/[0-9.]+)?")
_WORDS: dict[str, Subject] = {"ALL": EVERYBODY, "KNOWN": NAMED}
_NO_RULE = {
    "LOCAL": "rules know no names without a dot",
    "UNKNOWN": "there is no rule about clients without a name",
    "PARANOID": "tcpserver -p forgets such names instead",
    "EXCEPT": "exceptions of exceptions are not read",
}


class _Line(NamedTuple):
    number: int
    text: str
    verdict: bytes


def import_hosts(allow: str, deny: str, daemons: frozenset[str]) -> Imported:
    """The two files, either of which may be empty. daemons: the names, in small letters, of lines that count."""
    lines = [_Line(*line, b"allow") for line in _logical(allow)] + [_Line(*line, b"deny") for line in _logical(deny)]
    entries: list[Entry] = []
    unsaid: list[Unsaid] = []
    for line in lines:
        _read(line, daemons, entries, unsaid)
    if lines and not entries and not unsaid:
        unsaid.append(Unsaid("all lines", "the programs in them", f"none of them is {' or '.join(sorted(daemons))}"))
    if mixes_names_and_networks(entries):
        unsaid.append(Unsaid("all lines", "their order between names and networks", _ORDER))
    return Imported(rules(entries), tuple(unsaid))


def _logical(text: str) -> Iterator[tuple[int, str]]:
    """The lines with their numbers, continued ones as one."""
    begun, parts = 0, ""
    for number, line in enumerate(text.split("\n"), 1):
        begun = begun or number
        if line.endswith("\\"):
            parts += line[:-1]
            continue
        whole = (parts + line).strip()
        if whole and not whole.startswith("#"):
            yield begun, whole
        begun, parts = 0, ""


def _read(line: _Line, daemons: frozenset[str], entries: list[Entry], unsaid: list[Unsaid]) -> None:
    where = f"hosts.{line.verdict.decode()} line {line.number}"
    programs, *rest = (field.strip() for field in _FIELD.split(line.text))
    if not rest:
        unsaid.append(Unsaid(where, line.text, "there is no client in it"))
        return
    if not _concerns(programs, daemons):
        return
    instructions = _instructions(line.verdict, rest[1:], where, unsaid)
    included, _, excepted = re.sub(r"[\s,]+", " ", rest[0]).partition(" EXCEPT ")
    include, exclude = _subjects(included, where, unsaid), _subjects(excepted, where, unsaid)
    if len(exclude) < len(excepted.split()) and instructions != b"deny":
        unsaid.append(Unsaid(where, line.text, "left out: it would let in those whom it excepts"))
    elif include:
        entries.append(Entry(instructions, include, exclude))


def _concerns(programs: str, daemons: frozenset[str]) -> bool:
    included, _, excepted = programs.partition(" EXCEPT ")
    return _lists(included, daemons) and not _lists(excepted, daemons)


def _lists(programs: str, daemons: frozenset[str]) -> bool:
    return any(program == "ALL" or program.lower() in daemons for program in re.split(r"[\s,]+", programs))


def _subjects(text: str, where: str, unsaid: list[Unsaid]) -> tuple[Subject, ...]:
    found = []
    for pattern in text.split():
        subject = _subject(pattern)
        if isinstance(subject, str):
            unsaid.append(Unsaid(where, pattern, subject))
        else:
            found.append(subject)
    return tuple(found)


def _subject(pattern: str) -> Subject | str:
    """Whom a pattern is about, or why that cannot be said."""
    if pattern in _WORDS:
        return _WORDS[pattern]
    if pattern in _NO_RULE:
        return _NO_RULE[pattern]
    if pattern.startswith(("/", "@")):
        return "the file or netgroup is not read"
    if "@" in pattern:
        return "a rule about a user is about one address or one host, and is left to you: user@1.2.3.4"
    if _NETWORK.fullmatch(pattern):
        return _network(pattern) or "it is no network"
    return name(pattern.removeprefix("*")) or "it is no name and no address"


def _network(pattern: str) -> Network | None:
    return prefix(pattern) if pattern.endswith(".") else network(pattern)


def _instructions(verdict: bytes, options: list[str], where: str, unsaid: list[Unsaid]) -> bytes:
    variables = b""
    for option in options:
        keyword, _, value = option.replace("=", " ", 1).strip().partition(" ")
        if keyword.lower() in ("allow", "deny") and not value:
            verdict = keyword.lower().encode("ascii")
        elif keyword.lower() == "setenv" and (said := _variable(value)):
            variables += said
        elif option:
            unsaid.append(Unsaid(where, option, "of options and commands only allow, deny and setenv can be said"))
    return verdict if verdict == b"deny" else verdict + variables


def _variable(text: str) -> bytes | None:
    """``NAME VALUE``; a value that is put together for each client cannot be said."""
    name, _, value = text.strip().partition(" ")
    return None if "%" in value else variable(name, value.strip())
