"""The logical lines of a Postfix file, and networks as it reads them (readlline.c, cidr_match.c)."""

import re
from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address

from ...rules.cidr import Network

_NETWORK = re.compile(r"\[([^]]*)\](/[^]]*)?|([^]/]*)(/.*)?")


def logical_lines(text: str) -> Iterator[tuple[int, str]]:
    """Yield the lines with their numbers, from 1, without comments; one that begins with a blank continues another."""
    begun, parts = 0, ""
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        if line[0].isspace():
            parts += " " + line.strip()
            continue
        if begun:
            yield begun, parts
        begun, parts = number, line.strip()
    if begun:
        yield begun, parts


def network(text: str) -> Network | str:
    """Parse ``10.0.0.0/8``, ``[2001:db8::]/32``, ``10.0.0.5`` -> the network; or why Postfix takes it for none."""
    found = _NETWORK.fullmatch(text)
    if not found:
        return "it is no network"
    base, slash, length = ((found[1] or found[3] or "") + (found[2] or found[4] or "")).partition("/")
    try:
        bits, number = (128, int(IPv6Address(base))) if ":" in base else (32, int(IPv4Address(base)))
    except ValueError:
        return "it is no network"
    if (slash and not (length.isascii() and length.isdigit())) or "%" in base:
        return "it is no network"
    if len(length.lstrip("0")) > 3 or int(length or bits) > bits:
        return "its prefix is too long"
    one = Network(bits, number, int(length or bits))
    return "it has bits beyond its prefix" if one.base % one.size else one


def all_of(family: int) -> Network:
    """The network of all clients of a family. family: the bits of its addresses, 32 or 128."""
    return Network(family, 0, 0)
