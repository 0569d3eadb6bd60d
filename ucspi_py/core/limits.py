"""How much of the service one client may have: admit, or the words of the refusal. Never counts by itself."""

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import NamedTuple

from .address import is_ipv6

#: What a client over its limit is told unless the operator says otherwise.
MESSAGE = b"421 4.7.0 too many connections from you, try again later\r\n"


class Prefixes(NamedTuple):
    """Lengths of the network prefix that makes clients one, for IPv4 and IPv6."""

    ipv4: int
    ipv6: int


#: The network of a client, unless the operator says otherwise.
NETWORK = Prefixes(24, 64)
_IPV4 = 0xFFFF << 48


@dataclass(frozen=True, slots=True)
class ClientLimits:
    """What one client may have; 0 is no limit.

    per_client: connections at once from an IPv4 address or an IPv6 /64. per_network: connections at once from the
    network that ``network`` makes of the address. arrivals: connections from one client within ``period`` seconds.
    message: raw bytes for who is over a limit, b"" = close without a word.
    """

    per_client: int = 0
    per_network: int = 0
    network: Prefixes = NETWORK
    arrivals: int = 0
    period: int = 60
    message: bytes = MESSAGE


class Keys(NamedTuple):
    """Numbers under which a client and its network are counted, never 0."""

    client: int
    network: int


class Presence(NamedTuple):
    """How many connections the service has of a client and of its network, and has had of it within the period."""

    of_client: int
    of_network: int
    arrivals: int


def for_rule(limits: ClientLimits, variables: Iterable[tuple[bytes, bytes]]) -> ClientLimits:
    """The limits for a client whose rule sets variables: MAXCONNIP, MAXCONNC and DIEMSG go before the options.

    The names are those of the known limits patch for tcpserver; what is no number changes nothing.
    """
    for name, value in variables:
        if name == b"MAXCONNIP" and value.isdigit():
            limits = replace(limits, per_client=int(value[:9]))
        elif name == b"MAXCONNC" and value.isdigit():
            limits = replace(limits, per_network=int(value[:9]))
        elif name == b"DIEMSG":
            limits = replace(limits, message=value + b"\r\n" if value else b"")
    return limits


def exceeded(limits: ClientLimits, presence: Presence) -> bytes | None:
    """Which limit one more connection would break, as the log says it; None where it is welcome.

    presence: without the connection in question, but with its arrival.
    """
    if limits.per_client and presence.of_client >= limits.per_client:
        return b"%d/%d connections of the client" % (presence.of_client, limits.per_client)
    if limits.per_network and presence.of_network >= limits.per_network:
        return b"%d/%d connections of the network" % (presence.of_network, limits.per_network)
    if limits.arrivals and presence.arrivals > limits.arrivals:
        return b"%d/%d connections of the client in %d seconds" % (presence.arrivals, limits.arrivals, limits.period)
    return None


def keys(limits: ClientLimits, ip: bytes) -> Keys:
    """The keys of a client with this canonical address: 64 bits, equal for addresses in the same prefix only.

    An IPv6 client has a whole /64 to choose its address from, so that is what one client is; more is not looked at.
    IPv4 networks are put where IPv6 has no sources (ff00::/8 is multicast).
    """
    number = _number(ip)
    if is_ipv6(ip):
        return Keys(1 + (number >> 64), 1 + (number >> (128 - min(limits.network.ipv6, 64))))
    return Keys(_IPV4 | number, _IPV4 | number >> (32 - limits.network.ipv4))


@lru_cache(maxsize=4096)
def _number(ip: bytes) -> int:
    if is_ipv6(ip):
        return int(ipaddress.IPv6Address(ip.decode("ascii")))
    return int.from_bytes(bytes(map(int, ip.split(b"."))), "big")
