"""One canonical client address, and the name under which a DNSBL knows it. Never resolves anything."""

import ipaddress
from functools import lru_cache


def canonical(ip: str) -> bytes:
    """The text of an address as the kernel gives it -> the one form used in rules, logs, counts and look-ups.

    A zone identifier (``%eth0``) is cut off and a v4-mapped address is its IPv4 address. Raises ValueError.
    """
    if ":" not in ip:
        return ip.encode("ascii")
    address = ipaddress.IPv6Address(ip.partition("%")[0])
    return str(address.ipv4_mapped or address).encode("ascii")


def is_ipv6(ip: bytes) -> bool:
    """Whether a canonical address is one of IPv6."""
    return b":" in ip


@lru_cache(maxsize=1024)
def reversed_name(ip: bytes) -> bytes:
    """The front part of a DNSBL query name, with its last dot: ``2.0.0.127.`` or 32 nibbles (RFC 5782, 2.1 and 2.4).

    ip: any text; what is not IPv6 is turned around at its dots, as rblsmtpd does (ip_init), and b"" stays b"".
    """
    if is_ipv6(ip):
        try:
            nibbles = ipaddress.IPv6Address(ip.decode("ascii", "replace")).exploded.replace(":", "")
        except ValueError:
            return b""
        return ".".join(reversed(nibbles)).encode("ascii") + b"."
    return b".".join(reversed(ip.split(b"."))) + b"." if ip else b""
