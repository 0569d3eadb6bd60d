"""Limits of one client (connections, arrivals, load average): admit, or the words of the refusal. Never counts."""

import ipaddress
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import NamedTuple

from ..address import is_ipv6
from ..numbers import scan_ulong

#: Replies to a client over its limit, and to any client of a busy machine, unless the operator wrote others. 4.7.0 and
#: 4.3.2 are RFC 3463's codes for policy and for a system that accepts nothing at the moment.
MESSAGE = b"421 4.7.0 too many connections from you, try again later\r\n"
BUSY = b"421 4.3.2 too busy, try again later\r\n"
#: Why a client is turned away by --shed, for the log line.
NO_SLOT = b"all slots are taken"


class Prefixes(NamedTuple):
    """Prefix lengths in bits: clients in one network of such a size count as one. ipv4: 0 to 32. ipv6: 0 to 128."""

    ipv4: int
    ipv6: int


#: The network of a client, unless the operator wrote other prefixes.
NETWORK = Prefixes(24, 64)
#: In front of every IPv4 key: the bits of ffff::/16, which is multicast, so that no IPv6 client has them.
_IPV4 = 0xFFFF << 48


@dataclass(frozen=True, slots=True)
class ClientLimits:
    """What one client may have; None is no limit, 0 refuses everybody.

    per_client: connections at once from an IPv4 address or an IPv6 /64. per_network: connections at once from the
    network that ``network`` makes of the address. arrivals: connections from one client within ``period`` seconds.
    load: the load average of the last minute up to which clients are let in, in hundredths.
    message: raw bytes for a refused client, b"" = close without a word, None = words of our own. client_message,
    network_message, load_message: the same for one of these limits alone, None = message.
    """

    per_client: int | None = None
    per_network: int | None = None
    network: Prefixes = NETWORK
    arrivals: int | None = None
    period: int = 60
    load: int | None = None
    message: bytes | None = None
    client_message: bytes | None = None
    network_message: bytes | None = None
    load_message: bytes | None = None


class Keys(NamedTuple):
    """The numbers under which a client and its network are counted: 64 bits, never 0."""

    client: int
    network: int


class Presence(NamedTuple):
    """What exceeded() compares with the limits.

    of_client, of_network: connections that the service has now of the client and of its network. arrivals: connections
    of the client within the period, the present one included. load: the load average of the last minute, in hundredths.
    """

    of_client: int
    of_network: int
    arrivals: int
    load: int = 0


class Excess(NamedTuple):
    """One limit that is exceeded. reason: for the log line. message: raw bytes for the client, b"" = none."""

    reason: bytes
    message: bytes


def with_variables(limits: ClientLimits, variables: Iterable[tuple[bytes, bytes]]) -> ClientLimits:
    """Override limits with MAXCONNIP, MAXCONNC, MAXLOAD, DIEMSG and DIEMSG_MAX...; of two alike the later one wins.

    limits: those of the options, or of the environment. variables: (name, value) pairs of the server's environment or
    of a client's rule. Names and meanings are those of the limits patch for tcpserver (tcpserver-limits, 2007), which
    reads numbers with scan_ulong: what is none is 0, and 0 connections refuse everybody. MAXLOAD 0 is no limit, and an
    empty DIEMSG_MAX... leaves it to DIEMSG.
    """
    for name, value in variables:
        change = _VARIABLES.get(name)
        if change:
            limits = change(limits, value)
    return limits


def are_set_by(variable: bytes) -> bool:
    """Whether a variable sets one of the limits, or what is said of it. variable: its name."""
    return variable in _VARIABLES


def exceeded(limits: ClientLimits, presence: Presence) -> Excess | None:
    """Find the limit that one more connection would break, in the patch's order; None where it breaks none.

    presence: counts without the connection in question, but with its arrival.
    """
    if limits.load is not None and presence.load > limits.load:
        reason = b"load average %d.%02d, %d.%02d at most" % (*divmod(presence.load, 100), *divmod(limits.load, 100))
        return Excess(reason, _first(limits.load_message, limits.message, BUSY))
    return exceeded_by_client(limits, presence)


def exceeded_by_client(limits: ClientLimits, presence: Presence) -> Excess | None:
    """Find the limit that one more connection would break, whatever the load is, as exceeded() does."""
    if limits.per_client is not None and presence.of_client >= limits.per_client:
        reason = b"%d/%d connections of the client" % (presence.of_client, limits.per_client)
        return Excess(reason, _first(limits.client_message, limits.message, MESSAGE))
    if limits.per_network is not None and presence.of_network >= limits.per_network:
        reason = b"%d/%d connections of the network" % (presence.of_network, limits.per_network)
        return Excess(reason, _first(limits.network_message, limits.message, MESSAGE))
    if limits.arrivals is not None and presence.arrivals > limits.arrivals:
        counts = (presence.arrivals, limits.arrivals, limits.period)
        return Excess(b"%d/%d connections of the client in %d seconds" % counts, _first(limits.message, MESSAGE))
    return None


def limit_of(reason: bytes) -> str:
    """Name the limit that a client was turned away for. reason: of an Excess, or that all slots are taken."""
    if reason == NO_SLOT:
        return "slots"
    if reason.startswith(b"load "):
        return "load"
    if b" of the network" in reason:
        return "network"
    return "rate" if b" seconds" in reason else "client"


def keys(limits: ClientLimits, ip: bytes) -> Keys:
    """Compute the keys of a client, equal for addresses in the same prefix only. ip: the canonical address.

    An IPv6 client has a whole /64 to choose its address from, so that is what one client is; what follows is ignored.
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


def _first(*messages: bytes | None) -> bytes:
    return next(message for message in messages if message is not None)


def _line(text: bytes) -> bytes:
    return text + b"\r\n" if text else b""


#: What a variable changes.
_VARIABLES: dict[bytes, Callable[[ClientLimits, bytes], ClientLimits]] = {
    b"MAXCONNIP": lambda limits, value: replace(limits, per_client=scan_ulong(value)),
    b"MAXCONNC": lambda limits, value: replace(limits, per_network=scan_ulong(value)),
    b"MAXLOAD": lambda limits, value: replace(limits, load=scan_ulong(value) or None),
    b"DIEMSG": lambda limits, value: replace(limits, message=_line(value)),
    b"DIEMSG_MAXCONNIP": lambda limits, value: replace(limits, client_message=_line(value) or None),
    b"DIEMSG_MAXCONNC": lambda limits, value: replace(limits, network_message=_line(value) or None),
    b"DIEMSG_MAXLOAD": lambda limits, value: replace(limits, load_message=_line(value) or None),
}
