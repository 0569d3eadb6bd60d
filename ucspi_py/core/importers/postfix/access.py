"""The source of Postfix's indexed access tables, as hash: ones are (access(5), smtpd_check.c) -> rules source.

Postfix asks for the client's name and its domains, the narrowest first, and for its address and the beginnings of
that where none of them is there.
"""

import ipaddress
import re

from ...rules.cidr import Network
from ..first_match import Entry, rules
from ..imported import UNNAMED, Imported, Name, Pattern, Unsaid, closed, name
from .action import instructions
from .lines import logical_lines

_GROUP = "(?:0|[1-9a-f][0-9a-f]{0,3})"
_GROUPS = re.compile(rf"{_GROUP}(?::{_GROUP}){{0,7}}")
_IPV4 = re.compile(r"(?:0|[1-9][0-9]{0,2})(?:\.(?:0|[1-9][0-9]{0,2})){0,3}")
_NO_CLIENT = "Postfix looks for no client under it"
_DOTTED = "Postfix looks for it only where parent_domain_matches_subdomains is without smtpd_access_maps"


def import_access(text: str) -> Imported:
    """Import a table of check_client_access. A name is taken for its domain as well, as Postfix does by default."""
    table: dict[str, int] = {}
    entries: list[Entry] = []
    ranks: list[tuple[bool, int]] = []
    unsaid: list[Unsaid] = []
    for number, line in logical_lines(text):
        key, action = (*line.split(None, 1), "")[:2]
        key = key.lower()
        if not action or key in table:
            why = f"postmap takes the one of line {table[key]}" if action else "it has no action: postmap leaves it out"
            unsaid.append(Unsaid(f"line {number}", key, why))
            continue
        table[key] = number
        patterns, said = _patterns(key), instructions(action)
        unsaid += _odd(key, action, f"line {number}", patterns, said.why)
        for one in patterns:
            entries.append(Entry(said.instructions, closed(said.instructions, [[one]]), f"line {number}"))
            ranks.append(_rank(key, one))
    found = rules(entries, ranks=ranks)
    return Imported(found.lines, (*unsaid, *found.unsaid))


def _odd(key: str, action: str, where: str, patterns: list[Pattern], why: str) -> list[Unsaid]:
    if not patterns:
        return [Unsaid(where, key, _NO_CLIENT)]
    odd = [(key, one.why) for one in patterns] + [(action, why)]
    return [Unsaid(where, what, why) for what, why in odd if why]


def _patterns(key: str) -> list[Pattern]:
    """The clients of a key. It is compared with the text of an address or a name, and has to be written as that is."""
    if key == "unknown":
        return [Pattern.exactly(UNNAMED)]
    ipv4 = _ipv4(key)  # no client has an address of IPv6 that begins as one of IPv4 does
    return [one for one in ([ipv4] if ipv4 else [_ipv6(key), _name(key)]) if one]


def _ipv4(key: str) -> Pattern | None:
    """The text of an address, or its beginning without a dot."""
    octets = [int(octet) for octet in key.split(".")] if _IPV4.fullmatch(key) else [256]
    if max(octets) > 255:
        return None
    return Pattern.exactly(Network(32, int.from_bytes(bytes(octets).ljust(4, b"\0"), "big"), 8 * len(octets)))


def _ipv6(key: str) -> Pattern | None:
    """The text of an address, or its beginning up to a colon."""
    if ":" not in key and not _GROUPS.fullmatch(key):
        return None
    head, double, tail = key.partition("::")
    if not double and _GROUPS.fullmatch(key.removesuffix(":")):
        return _beginning(key.split(":"))
    try:
        address = ipaddress.IPv6Address(key)
    except ValueError:
        return Pattern.exactly(why=_NO_CLIENT)
    if str(address) != key or address.ipv4_mapped or address.scope_id:
        return Pattern.exactly(why="an address is written in the shortest way there")
    one = Network(128, int(address), 128)
    left_out = 8 - len(f"{head}:{tail}".strip(":").split(":")) if tail else 2
    longer = (_shifted(head, tail, groups) for groups in range(1, left_out - 1))
    return Pattern((one,), (one, *longer))


def _beginning(groups: list[str]) -> Pattern:
    """Whole groups; a colon behind them is the first one of ``::``."""
    known = [group or "0" for group in groups] + (["0"] if not groups[-1] else [])
    if len(known) > 8:
        return Pattern.exactly(why=_NO_CLIENT)
    base = int("".join(group.zfill(4) for group in known).ljust(32, "0"), 16)
    found = Network(128, base, 16 * len(known))
    zeros = "zeros may be left out of an address"
    return Pattern.within(found, why=zeros) if "0" in known and len(known) < 8 else Pattern.exactly(found)


def _shifted(head: str, tail: str, groups: int) -> Network:
    """Those whose text begins as an address does that has ``::``, with some groups more behind it."""
    base = int(ipaddress.IPv6Address(f"{head}::{tail}" + groups * ":0"))
    return Network(128, base, 128 - 16 * groups)


def _name(key: str) -> Pattern | None:
    host = name(key)
    if not host or not any("a" <= char <= "z" for char in key) or key.endswith("."):
        return None
    return Pattern.within(host, why=_DOTTED) if host.below else Pattern.exactly(host, Name(host.text, below=True))


def _rank(key: str, pattern: Pattern) -> tuple[bool, int]:
    """Names before addresses, long ones before short ones."""
    is_name = any(isinstance(one, Name) for one in pattern.around)
    return not is_name, -len(re.split("[.:]", key))
