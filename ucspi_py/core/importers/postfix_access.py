"""The source of Postfix's indexed access tables, as hash: ones are (access(5)) -> rules source.

As in rules the narrowest pattern decides there, so the order of lines does not matter.
"""

import re

from ..rules_ipv6 import network as ipv6_network
from .imported import Imported, Name, Subject, Unsaid, name, network, prefix, rule
from .postfix import logical_lines
from .postfix_action import instructions

_IPV6_PREFIX = re.compile(r"[0-9a-f]{1,4}(?::[0-9a-f]{1,4}){0,6}", re.IGNORECASE)
_ORDER = "Postfix looks for names before it looks for addresses; an address or network has the word in rules"


def import_access(text: str) -> Imported:
    """A table of check_client_access. A name is taken for its domain as well, as Postfix does by default."""
    lines: list[bytes] = []
    unsaid: list[Unsaid] = []
    kinds: set[tuple[bool, bytes]] = set()
    for number, line in logical_lines(text):
        where = f"line {number}"
        pattern, action = (*line.split(None, 1), "")[:2]
        subjects = _subjects(pattern)
        if not subjects:
            unsaid.append(Unsaid(where, pattern, "rules know clients, no senders and recipients"))
            continue
        said = instructions(action, where, unsaid)
        if said:
            lines.extend(rule(subject, said) for subject in subjects)
            kinds.update((isinstance(subject, Name), said) for subject in subjects)
    if len({is_name for is_name, _ in kinds}) > 1 and len({said for _, said in kinds}) > 1:
        unsaid.append(Unsaid("all lines", "their order between names and addresses", _ORDER))
    return Imported(tuple(lines), tuple(unsaid))


def _subjects(pattern: str) -> list[Subject]:
    """Whom a pattern is about; nobody where it is no pattern about clients."""
    if "@" in pattern or "/" in pattern:
        return []
    found = prefix(pattern) or _ipv6_prefix(pattern) or network(pattern)
    if found:
        return [found]
    host = name(pattern)
    if not host:
        return []
    return [host] if host.below else [host, Name(host.text, below=True)]


def _ipv6_prefix(pattern: str) -> Subject | None:
    """``2001:db8:1``: whole groups of an address from its beginning."""
    if ":" not in pattern or not _IPV6_PREFIX.fullmatch(pattern):
        return None
    groups = pattern.count(":") + 1
    return ipv6_network(f"{pattern}::/{16 * groups}".encode("ascii"))
