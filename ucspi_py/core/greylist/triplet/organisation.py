"""Whose client it is, by its names: the domain that somebody has registered. A heuristic; never resolves anything.

There is no list of public suffixes here. Where it takes too much for one organisation, its clients share their waiting;
where it takes too little, they wait by network as all others do.
"""

import ipaddress
import re
from functools import lru_cache

from ..attempt import Attempt

#: Labels below which others register, under a country's: ``example.co.uk``.
_SHORT = frozenset(
    b"ac adm asn asso biz co com csiro edu firm gen go gob gouv gov gv id ind inf info jus k12 lg ltd me mi mil muni ne"
    b" net nhs nic nom off or org oz plc police pro psi res sch store tm web".split()
)
#: Names of clients that are looked at once: who sends one message often sends another.
_REMEMBERED = 1024
_WORD = re.compile(rb"[0-9a-z]+")
_NUMBER = re.compile(rb"\d+")


def organisation(attempt: Attempt) -> bytes | None:
    """Find the domain that the verified name and HELO's have in common; None = they do not tell of one."""
    domain = registered(attempt.name)
    if domain is None or domain != registered(attempt.helo) or _is_dynamic(attempt.name.lower(), attempt.ip):
        return None
    return domain


def registered(name: bytes) -> bytes | None:
    """Cut a name to its last two labels, or three as in ``example.co.uk``; None for what has not so many."""
    labels = name.lower().rstrip(b".").split(b".")
    length = 3 if len(labels) > 1 and len(labels[-1]) == 2 and labels[-2] in _SHORT else 2
    if len(labels) < length or not all(labels) or labels[-1].isdigit():
        return None
    return b".".join(labels[-length:])


@lru_cache(_REMEMBERED)
def _is_dynamic(name: bytes, ip: bytes) -> bool:
    """Whether a name is made of its address: then it tells of a line, not of a mail server."""
    try:
        address = ipaddress.ip_address(ip.decode("ascii", "replace"))
    except ValueError:
        return True
    if address.version == 6:
        return _has_parts(_WORD.findall(name), address.exploded.encode().split(b":")) or _has_digits(name, address)
    return _has_parts(_NUMBER.findall(name), ip.split(b".")) or _has_digits(name, address)


def _has_parts(words: list[bytes], parts: list[bytes]) -> bool:
    """Whether two parts of an address stand in a name, as words of their own."""
    left = [word.lstrip(b"0") for word in words]
    found = 0
    for part in parts:
        bare = part.lstrip(b"0")
        if bare and bare in left:
            left.remove(bare)
            found += 1
    return found > 1


def _has_digits(name: bytes, address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    """Whether the host's part of an address stands in a name without anything between, from either end."""
    flat, packed = b"".join(_WORD.findall(name)), address.packed
    if address.version == 6:
        nibbles = packed.hex().encode()[-16:]
        return nibbles in flat or nibbles[::-1] in flat
    orders = (packed, packed[::-1])
    return any(one.hex().encode() in flat or b"".join(b"%03d" % byte for byte in one) in flat for one in orders)
