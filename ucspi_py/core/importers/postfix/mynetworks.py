"""Postfix's mynetworks (postconf(5), match_list.c) -> rules source."""

import re
from collections.abc import Iterator

from ..first_match import Entry, rules
from ..imported import EVERYBODY, Imported, Unsaid
from .lines import all_of, logical_lines, network

_SETTING = re.compile(r"([A-Za-z0-9_]+)\s*=(.*)", re.DOTALL)
_ADDRESSES = re.compile(r"[0-9a-f:.\[\]/]*", re.IGNORECASE)
_TABLE = re.compile(r"[a-z]{3,}:(?!:)", re.IGNORECASE)
_RELAYS = b'allow,RELAYCLIENT=""'
_CLOSED = "nobody from here on may relay"


def import_mynetworks(text: str) -> Imported:
    """Import main.cf, or only what stands behind ``mynetworks =``; clients in it may relay."""
    settings = [(number, one) for number, line in logical_lines(text) if (one := _SETTING.fullmatch(line))]
    values = [(number, str(one[2])) for number, one in settings if one[1] == "mynetworks"][-1:]
    if settings and not values:
        why = "it is not set there, and what it is then depends on the host: give the output of postconf -hx mynetworks"
        return Imported((), (Unsaid("all lines", "mynetworks", why),))
    entries: list[Entry] = []
    unsaid: list[Unsaid] = []
    for number, value in values or logical_lines("\n".join(line.strip() for line in text.split("\n"))):
        for pattern in _patterns(value):
            _take(pattern, f"line {number}", entries, unsaid)
    found = rules(entries)
    return Imported(found.lines, (*unsaid, *found.unsaid))


def _patterns(value: str) -> Iterator[str]:
    """The words of a list; what is in braces is one with what stands around it."""
    word, depth = "", 0
    for char in value:
        depth += (char == "{") - (char == "}")
        if depth <= 0 and (char.isspace() or char == ","):
            yield from [word] if word else []
            word = ""
        else:
            word += char
    yield from [word] if word else []


def _take(pattern: str, where: str, entries: list[Entry], unsaid: list[Unsaid]) -> None:
    plain = pattern.lstrip("!")
    is_negated = (len(pattern) - len(plain)) % 2 == 1
    found = network(plain) if _is_network(plain) else None
    if found is None:
        why, closes = _other(plain, is_negated)
        if closes:
            entries.append(Entry(b"allow", ((EVERYBODY,),), where))
    elif isinstance(found, str):
        family = 128 if ":" in plain else 32
        entries.append(Entry(b"allow", ((all_of(family),),), where))
        why = f"{found}, which is an error to Postfix: no IPv{4 if family == 32 else 6} client from here on may relay"
    else:
        entries.append(Entry(b"allow" if is_negated else _RELAYS, ((found,),), where))
        return
    unsaid.append(Unsaid(where, pattern, why))


def _is_table(plain: str) -> bool:
    return ":" in plain and not plain.startswith(("[", "/", "$"))


def _is_network(plain: str) -> bool:
    """Whether Postfix reads it as an address or a network (match_ops.c, match_hostaddr)."""
    if _is_table(plain) or plain.startswith("/") or not _ADDRESSES.fullmatch(plain):
        return False
    return "/" in plain or ":" in plain or not isinstance(network(plain), str)


def _other(plain: str, is_negated: bool) -> tuple[str, bool]:
    """Why rules cannot express a word that is no network, and whether no client of the words behind it may relay."""
    is_table = _is_table(plain)
    if plain.startswith("/") or ("$" in plain and not is_table):
        return f"the file or setting is not read, and it may except: {_CLOSED}", True
    if is_table and not _TABLE.match(plain):
        return f"it is an error to Postfix, an IPv6 network stands in brackets there: {_CLOSED}", True
    if is_negated:
        return f"whom it excepts is not known: {_CLOSED}", True
    if is_table:
        return "left out: the table is not read", False
    return "left out: it is no network, and a name is no reason to let its owner relay", False
