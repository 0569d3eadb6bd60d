"""Addresses of the ledger: under which key a grant is kept, and to which addresses none is given. Decides."""

import ipaddress
from collections.abc import Sequence

from ..address import canonical, is_private
from ..rules.cidr import Network

#: The prefix of IPv6 that is one client: its host part changes daily (RFC 8981), and differs between POP and SMTP.
NETWORK, ADDRESS = 64, 128
#: The networks whose keys are neighbours in a cluster: those that a greylist takes for one, unless told otherwise.
_NEIGHBOURS = {4: 24, 6: 64}

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def address(ip: bytes) -> Address:
    """Parse an address; a v4-mapped one is its IPv4 address. Raises ValueError."""
    return ipaddress.ip_address(canonical(ip.decode("ascii")).decode("ascii"))


def key(ip: Address, length: int = NETWORK) -> str:
    """The key of an address. length: of the prefix that is one client of IPv6, NETWORK or ADDRESS."""
    if ip.version == 4 or length == ADDRESS:
        return str(ip)
    return str(ipaddress.ip_network((ip, length), strict=False))


def keys(ip: Address) -> tuple[str, ...]:
    """All keys under which there may be a grant of an address."""
    return tuple(dict.fromkeys((key(ip, ADDRESS), key(ip, NETWORK))))


def neighbourhood(key: str) -> str:
    """The network of a key, as in ``192.0.2.0/24``."""
    base = ipaddress.ip_network(key, strict=False)
    return str(ipaddress.ip_network((base.network_address, _NEIGHBOURS[base.version]), strict=False))


def is_within(key: str, network: Network) -> bool:
    """Whether all addresses of a key are in a network."""
    block = ipaddress.ip_network(key, strict=False)
    return network.holds(Network(block.max_prefixlen, int(block.network_address), block.prefixlen))


def flaw(ip: Address, refused: Sequence[Network], *, allows_private: bool) -> str | None:
    """Why an address gets no grant; None = it may have one.

    refused: networks of proxies and of whoever else stands between. allows_private: whether addresses get one that
    many networks have at once, or the customers of a carrier share.
    """
    if any(is_within(str(ip), network) for network in refused):
        return f"{ip} is in a network that gets no grant"
    if ip.is_unspecified or ip.is_multicast:
        return f"{ip} is no client's address"
    if not allows_private and (ip.is_loopback or is_private(str(ip).encode("ascii"))):
        return f"{ip} is private, or shared by the customers of a carrier"
    return None
