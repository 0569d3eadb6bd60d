"""One canonical client address, and the name under which a DNSBL knows it. Never resolves anything."""

import ipaddress
from functools import lru_cache


def canonical(ip: str) -> bytes:
    """Normalise the text of an address -> the one form used in rules, logs, counts and look-ups (RFC 5952).

    A zone identifier (``%eth0``) is cut off and a v4-mapped address is its IPv4 address. Raises ValueError.
    """
    if ":" not in ip:
        return ip.encode("ascii")
    address = ipaddress.IPv6Address(ip.partition("%")[0])
    return str(address.ipv4_mapped or address).encode("ascii")


#: A number: for bytes in bytes Python tries whether they are a number first, and that fails.
_COLON = ord(":")


def is_ipv6(ip: bytes) -> bool:
    """Whether a canonical address is one of IPv6."""
    return _COLON in ip


def network_of(ip: bytes, ipv4: int, ipv6: int) -> str:
    """Build the network of a canonical address, as in ``192.0.2.0/24``: one form for each. Raises ValueError.

    ipv4, ipv6: how many bits of an address are those of its network.
    """
    address = ipaddress.ip_address(ip.decode("ascii"))
    length = ipv4 if address.version == 4 else ipv6
    hosts = address.max_prefixlen - length
    return f"{type(address)(int(address) >> hosts << hosts)}/{length}"


_PRIVATE = tuple(
    ipaddress.ip_network(network)
    for network in (
        "10.0.0.0/8",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "169.254.0.0/16",
        "100.64.0.0/10",
        "fc00::/7",
        "fe80::/10",
    )
)


#: The first two characters of every private address: a look at them spares most clients the arithmetic.
_PRIVATE_STARTS = frozenset((b"10", b"17", b"19", b"16", b"fc", b"fd", b"fe"))


def is_private(ip: bytes) -> bool:
    """Whether no public list can know an address: private, link-local, shared by a carrier (RFC 6598), unique local.

    127.0.0.0/8 is not among them: the lists' own test points are there.
    """
    if ip[:2] not in _PRIVATE_STARTS:
        return False
    try:
        address = ipaddress.ip_address(ip.decode("ascii", "replace"))
    except ValueError:
        return False
    return any(address in network for network in _PRIVATE)


def literal(text: str) -> str | None:
    """Parse an address as an operator writes it -> its usual form; None for anything else.

    An octet may have leading zeros, as djb writes it (ip4_scan.c); IPv6 may have a zone identifier (``fe80::1%eth0``,
    RFC 4007, 11).
    """
    if ":" in text:
        try:
            return str(ipaddress.IPv6Address(text))
        except ValueError:
            return None
    octets = [_octet(word) for word in text.split(".")]
    return ".".join(octets) if len(octets) == 4 and all(octets) else None


def _octet(word: str) -> str:
    """An octet without its leading zeros; empty for anything else."""
    digits = word.lstrip("0")
    if not (word.isascii() and word.isdigit()) or len(digits) > 3 or int(digits or 0) > 255:
        return ""
    return digits or "0"


@lru_cache(maxsize=1024)
def reversed_name(ip: bytes) -> bytes:
    """Build the front of a DNSBL query name, with its last dot: ``2.0.0.127.`` or 32 nibbles (RFC 5782, 2.1 and 2.4).

    ip: any text; what is not IPv6 is turned around at its dots, as rblsmtpd does (ip_init), and b"" stays b"".
    """
    if is_ipv6(ip):
        try:
            number = int(ipaddress.IPv6Address(ip.decode("ascii", "replace")))
        except ValueError:
            return b""
        return ".".join(reversed(f"{number:032x}")).encode("ascii") + b"."
    return b".".join(reversed(ip.split(b"."))) + b"." if ip else b""
