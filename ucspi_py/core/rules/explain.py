"""Why the rules decide about a client as they do: every key in its turn, and the one that was there. Pure look-up."""

from typing import NamedTuple

from ..text import shown
from . import ipv6 as rules_ipv6
from .data import DEFAULT, Instructions, instructions, provenance
from .match import Get, Match, keys


class Explanation(NamedTuple):
    """The way of a client through the rules.

    asked: the keys that were looked up, in order; the last one was found if ``decided`` is a match. said: what the
    client gets. source: where the rule was written, if the rules tell.
    """

    asked: tuple[bytes, ...]
    decided: Match | None
    said: Instructions
    source: bytes | None


def explain(get: Get, ip: bytes, host: bytes | None, info: bytes | None) -> Explanation:
    """Look a client up as tcpserver does. ip: its canonical address. Raises CorruptRules."""
    asked = []
    for key in keys(ip, host, info, get):
        asked.append(key)
        value = get(key)
        if value is not None:
            return Explanation(tuple(asked), Match(key, value), instructions(value), provenance(value))
    return Explanation(tuple(asked), None, DEFAULT, None)


def key_text(key: bytes) -> str:
    """A key as a rule's author writes it: ``:`` for the default rule, an IPv6 network as such."""
    network = rules_ipv6.from_key(key)
    return shown(rules_ipv6.text(network) if network else key) + ("" if key else ":")
