"""IPv6 addresses and networks in the rules: their keys, and in which order they are asked for.

An address is stored under its canonical text. A network is stored under ``:`` and the bits of its prefix: no source
of djb's has such a key, and no 0.88 reader asks for one. The lengths that occur stand in one record of their own, so
that a look-up asks for those and no others. Never looks at an IPv4 client.
"""

import ipaddress
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache

from ..errors import CorruptRules
from ..numbers import decimal
from .cidr import Network

#: The key of the list of prefix lengths that occur: ``:48,32`` and a zero, an item that every reader passes over.
LENGTHS = b":/"
#: ::ffff:0:0, the IPv4-mapped addresses (RFC 4291, 2.5.5.2).
_MAPPED = 0xFFFF << 32
#: No text of an address has more characters, a long zone's apart.
_LONGEST = 64


def network(address: bytes) -> Network:
    """Parse ``2001:db8::/32``, ``[2001:db8::1]``, ``[::1]/128``; a network inside ::ffff:0:0/96 is one of IPv4.

    Raises ValueError with a sentence about what is wrong.
    """
    text, slash, digits = address.decode("ascii", "replace").partition("/")
    if text.startswith("[") and digits.endswith("]"):
        text, digits = text[1:], digits[:-1]
    elif text.startswith("[") and text.endswith("]"):
        text = text[1:-1]
    length = _length(digits) if slash else 128
    found = Network(128, _number(text), length)
    if found.base % found.size:
        meant = ipaddress.IPv6Address(found.base - found.base % found.size)
        raise ValueError(f"{text} has bits beyond its prefix of {length}; the network is {meant}/{length}")
    if length >= 96 and found.base >> 32 == 0xFFFF:
        return Network(32, found.base - _MAPPED, length - 96)
    return found


def key(network: Network) -> bytes:
    """Build the key of an IPv6 network; that of a single address is its canonical text."""
    if network.length == 128:
        return text(network)
    return b":" + f"{network.base:0128b}"[: network.length].encode("ascii")


def from_key(key: bytes) -> Network | None:
    """Parse the key of an IPv6 network; None where it is not one."""
    bits = key[1:]
    if not key.startswith(b":") or len(bits) > 127 or bits.strip(b"01"):
        return None
    return Network(128, int(bits.ljust(128, b"0"), 2), len(bits))


def text(network: Network) -> bytes:
    """Format an IPv6 network as text, a single address without its length."""
    address = str(ipaddress.IPv6Address(network.base))
    return (address if network.length == 128 else f"{address}/{network.length}").encode("ascii")


def lengths_record(lengths: Iterable[int]) -> tuple[bytes, bytes]:
    """Build the record of the prefix lengths that occur, each 0 to 127, longest first."""
    return LENGTHS, b":" + b",".join(b"%d" % length for length in sorted(lengths, reverse=True)) + b"\0"


def keys(ip: bytes, get: Callable[[bytes], bytes | None]) -> Iterator[bytes]:
    """Yield the keys of the networks around an address, the longest prefix first, among the lengths that occur.

    ip: any text; what is no IPv6 address has no networks. get: looks up the list of lengths. Raises CorruptRules.
    """
    stored = get(LENGTHS)
    if stored is None:
        return
    try:
        bits = b":" + f"{int(ipaddress.IPv6Address(ip.decode('ascii'))):0128b}".encode("ascii")
    except ValueError:
        return
    for length in _lengths(stored):
        yield bits[: 1 + length]


@lru_cache(maxsize=8)
def _lengths(stored: bytes) -> tuple[int, ...]:
    try:
        lengths = tuple(map(int, stored.removeprefix(b":").removesuffix(b"\0").split(b",")))
    except ValueError:
        lengths = (-1,)
    if not all(0 <= length < 128 for length in lengths):
        raise CorruptRules("the list of IPv6 prefix lengths is not one")
    return lengths


def _number(text: str) -> int:
    if len(text) > _LONGEST:
        raise ValueError(f"{text[:_LONGEST]}... is no IPv6 address")
    if "%" in text:
        raise ValueError(f"{text} has a zone; rules know addresses without one")
    try:
        return int(ipaddress.IPv6Address(text))
    except ValueError:
        raise ValueError(f"{text} is no IPv6 address") from None


def _length(digits: str) -> int:
    length = decimal(digits)
    if length is None or length > 128:
        raise ValueError(f"/{digits[:_LONGEST]} is no prefix length of IPv6")
    return length
