"""IPv4 networks (RFC 4632) -> djb's own keys, which the C tcpserver obeys. Never reads what a rule does."""

import re
from typing import NamedTuple

_OCTET = rb"(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
_CIDR = re.compile(rb"\.".join([_OCTET] * 4) + rb"/(3[0-2]|[12]?[0-9])")


class Network(NamedTuple):
    """A block of addresses.

    bits: 32 for IPv4, 128 for IPv6. base: its first address as a number. length: of the prefix, in bits.
    """

    bits: int
    base: int
    length: int

    @property
    def size(self) -> int:
        """The number of its addresses."""
        return 1 << (self.bits - self.length)

    @property
    def end(self) -> int:
        """The number after its last address."""
        return self.base + self.size

    def holds(self, other: "Network") -> bool:
        """Whether all addresses of another network are in it."""
        return self.bits == other.bits and self.base <= other.base and other.end <= self.end


def network(address: bytes) -> Network | None:
    """Parse ``10.0.0.0/8``; None for anything else, also where a bit beyond the prefix is set."""
    found = _CIDR.fullmatch(address)
    if not found:
        return None
    *octets, length = map(int, found.groups())
    base = int.from_bytes(octets, "big")
    network = Network(32, base, length)
    return None if base % network.size else network


def is_prefix(network: Network) -> bool:
    """Whether a single key of djb's is the IPv4 network, as ``10.`` is 10.0.0.0/8."""
    return network.length > 0 and network.length % 8 == 0


def keys(network: Network) -> list[bytes]:
    """List the keys that together are an IPv4 network, at most 128; only 0.0.0.0/0 has 256."""
    octets = max(1, -(-network.length // 8))
    head = network.base.to_bytes(4, "big")[:octets]
    before = b"".join(b"%d." % octet for octet in head[:-1])
    dot = b"." if octets < 4 else b""
    return [b"%s%d%s" % (before, n, dot) for n in range(head[-1], head[-1] + (1 << (8 * octets - network.length)))]


def text(network: Network) -> bytes:
    """Format an IPv4 network as CIDR text."""
    return b".".join(b"%d" % octet for octet in network.base.to_bytes(4, "big")) + b"/%d" % network.length
