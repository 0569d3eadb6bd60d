"""Lint of RELAYCLIENT: rules that make an open relay. Never looks at whether a rule matches."""

from ..numbers import clamped
from ..rules.cidr import Network
from .finding import Flaw
from .variable import VARIABLE

#: First octets of /8s that are not public (RFC 6890): this network, private, loopback, multicast and reserved.
_NOT_PUBLIC = ((0, 1), (10, 11), (127, 128), (224, 256))
#: From which size a network may hold a whole provider: addresses of a /8, and the length of an IPv6 prefix.
_WIDE4 = 1 << 24
_WIDE6_LENGTH = 16


def relay_flaw(address: bytes, network: Network | None, instructions: bytes) -> Flaw | None:
    """Find the clients that a rule lets relay and should not.

    network: what the address is, where it is one in CIDR notation or of IPv6; otherwise None.
    """
    names = [found[1] for found in VARIABLE.finditer(instructions)]
    if instructions.startswith(b"deny") or b"RELAYCLIENT" not in names:
        return None
    if not address:
        return Flaw(0, "the default rule lets everybody relay: this is an open relay", (b":allow",))
    if b"=" in address:
        return Flaw(0, "a client chooses its own name: only with tcpserver -p may a name decide who relays")
    if network and network.bits == 128:
        public = network.base >> 125 == 1 or network.length < 3
        wide = f"an IPv6 /{network.length}" if network.length <= _WIDE6_LENGTH and public else ""
    else:
        wide = "a /8 of public addresses or more" if _public_size(address, network) >= _WIDE4 else ""
    return Flaw(0, f"{wide} may relay: this is nearly an open relay") if wide else None


def _public_size(address: bytes, network: Network | None) -> int:
    """How many public IPv4 addresses there are in an address of the rules; 0 for one that matches nothing."""
    firsts, size = _blocks(address) if network is None else _blocks_of(network)
    return size * sum(not any(start <= first < end for start, end in _NOT_PUBLIC) for first in firsts)


def _blocks_of(network: Network) -> tuple[range, int]:
    return range(network.base >> 24, (network.end - 1 >> 24) + 1), min(network.size, _WIDE4)


def _blocks(address: bytes) -> tuple[range, int]:
    """The first octets of an address, and how many addresses it has under each."""
    octets = [octet.partition(b"-") for octet in address.removesuffix(b".").split(b".")]
    if not all(low.isdigit() and (not dash or high.isdigit()) for low, dash, high in octets) or len(octets) > 4:
        return range(0), 0
    ranges = [range(clamped(low), min(clamped(high or low), 255) + 1) for low, _, high in octets]
    size = 1 << 8 * (4 - len(octets))
    for behind in ranges[1:]:
        size *= len(behind)
    return ranges[0], size if (len(octets) == 4) != address.endswith(b".") else 0
