"""The whole source language: tcprules' own lines, IPv4 networks and IPv6 beside them. Source -> records.

What the C program would compile comes out as it would compile it, in its order. The exception is an IPv4 network in
CIDR notation, which it would store under a key that is never asked for. Never reads a file, never judges a rule.
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from ..errors import UnparsableLine
from . import cidr as rules_cidr
from .cidr import Network
from .data import provenance_item
from .djb_source import records

Record = tuple[bytes, bytes]

#: The ident answer of an IPv6 rule, and all that may be its address; the instructions begin inside that.
_USER_AND_ADDRESS = re.compile(rb"([^:=@#][^:=@]*@|@)?([][0-9A-Za-z:.%/]*)")

#: A group of an IPv6 address that is written without ``::``.
_IPV6_GROUP = re.compile(rb":[0-9A-Fa-f]{1,4}:")


class Ipv6Line(NamedTuple):
    """``[USER@]ADDRESS:INSTRUCTIONS`` where the address has colons of its own; djb's language has no such line.

    user: with its ``@``, or empty. said: the instructions.
    """

    user: bytes
    address: bytes
    said: bytes


class NetworkRule(NamedTuple):
    """A rule about an IPv4 network or about anything of IPv6.

    address: as it is written. user: the ident answer and its ``@``, or empty. data: the value of its records.
    """

    address: bytes
    user: bytes
    network: Network
    data: bytes

    @property
    def keys(self) -> list[bytes]:
        """The keys of its records."""
        if self.network.bits == 32:
            return [self.user + key for key in rules_cidr.keys(self.network)]
        from . import ipv6 as rules_ipv6

        return [self.user + rules_ipv6.key(self.network)]


def compiled(text: bytes, name: bytes | None = None) -> Iterator[Record]:
    """Compile a whole source: yield its (key, data) records in the order of the file (tcprules.c, main).

    text: the source. name: what provenance calls it, None = no provenance. Raises UnparsableLine at the first line that
    is not in the language.
    """
    lines = text.split(b"\n")
    networks = _Networks()
    if name is not None:
        for number, line in enumerate(lines, 1):
            origin = provenance_item(name, number)
            for key, data in records([networks.take(line, origin)]):
                yield key, data + origin
    elif b"/" in text or b"::" in text or _IPV6_GROUP.search(text):
        yield from records(map(networks.take, lines))
    else:
        yield from records(lines)
    yield from networks.rest()


def line_records(line: bytes) -> list[Record]:
    """Compile one line as tcprules does. Raises UnparsableLine."""
    return list(records([line]))


def ipv6_line(line: bytes) -> Ipv6Line | None:
    """Split a line about an IPv6 address or network; None where no address of the line has colons of its own."""
    found = _USER_AND_ADDRESS.match(line)
    if not found:
        return None
    run = found[2]
    end = max(run.rfind(b":allow"), run.rfind(b":deny"))
    if b":" not in run[: max(end, 0)]:
        return None
    return Ipv6Line(found[1] or b"", run[:end], line[found.start(2) + end + 1 :])


def network_rule(line: bytes) -> NetworkRule | None:
    """Parse a line about an IPv4 network or anything of IPv6; None for any other line, or a wrong one."""
    line = line.rstrip(b"\n \t")
    address, _, said = line.partition(b":")
    network = rules_cidr.network(address)
    user = b""
    if not network:
        found = ipv6_line(line)
        if not found:
            return None
        address, user, said = found.user + found.address, found.user, found.said
        network = _ipv6(found.address)
    data = _data(said)
    if network is None or data is None or (user and network.size > 1):
        return None
    return NetworkRule(address, user, network, data)


class _Networks:
    """The networks of a source: those that djb's language has are rewritten, the rest is kept for the end.

    Of several IPv4 networks around an address the narrowest is to decide, wherever it stands in the source. Those
    that share their octets with one of djb's prefixes are therefore written after it, the longest prefix first.
    """

    def __init__(self) -> None:
        self._ipv4: list[tuple[NetworkRule, bytes]] = []
        self._ipv6: list[tuple[NetworkRule, bytes]] = []

    def take(self, line: bytes, origin: bytes = b"") -> bytes:
        """Rewrite a line for djb's language; empty where it is kept. origin: the provenance item of its records."""
        rule = network_rule(line) if b"/" in line or line.count(b":") > 1 else None
        if rule is None:
            return line
        if rule.network.bits == 128:
            self._ipv6.append((rule, origin))
        elif rules_cidr.is_prefix(rule.network):
            return rule.keys[0] + line[len(rule.address) :]
        else:
            self._ipv4.append((rule, origin))
        return b""

    def rest(self) -> Iterator[Record]:
        """Compile the networks that were kept."""
        self._ipv4.sort(key=lambda one: -one[0].network.length)
        for rule, origin in (*self._ipv4, *self._ipv6):
            data = rule.data + origin
            for key in rule.keys:
                yield key, data
        lengths = {rule.network.length for rule, _ in self._ipv6} - {128}
        if lengths:
            from . import ipv6 as rules_ipv6

            yield rules_ipv6.lengths_record(lengths)


def _ipv6(address: bytes) -> Network | None:
    from . import ipv6 as rules_ipv6

    try:
        return rules_ipv6.network(address)
    except ValueError:
        return None


@lru_cache(maxsize=256)
def _data(said: bytes) -> bytes | None:
    try:
        return line_records(b":" + said)[0][1]
    except UnparsableLine:
        return None
