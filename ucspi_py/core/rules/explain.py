"""Why the rules decide about a client as they do: every key that is looked up, and the one that is stored."""

from typing import NamedTuple

from ..text import shown
from . import ipv6 as rules_ipv6
from .data import DEFAULT, Instructions, instructions, provenance
from .match import Get, Match, keys


class Explanation(NamedTuple):
    """The way of a client through the rules.

    asked: the keys that were looked up, in order; the last one was found if ``decided`` is a match. decided: None = no
    rule is about the client. said: the instructions that apply. source: ``tcp.smtp:12``, None without provenance.
    """

    asked: tuple[bytes, ...]
    decided: Match | None
    said: Instructions
    source: bytes | None


def explain(get: Get, ip: bytes, host: bytes | None, info: bytes | None) -> Explanation:
    """Look a client up as tcpserver does (rules.c).

    get: gives the first value of a key, or None. ip: the canonical address. host, info: the client's name and ident
    answer, None where unknown. Raises CorruptRules.
    """
    asked = []
    for key in keys(ip, host, info, get):
        asked.append(key)
        value = get(key)
        if value is not None:
            return Explanation(tuple(asked), Match(key, value), instructions(value), provenance(value))
    return Explanation(tuple(asked), None, DEFAULT, None)


def key_text(key: bytes) -> str:
    """Format a key as a rule's author writes it: ``:`` for the default rule, an IPv6 network as such."""
    network = rules_ipv6.from_key(key)
    return shown(rules_ipv6.text(network) if network else key) + ("" if key else ":")
