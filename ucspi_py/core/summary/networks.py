"""The network of a client's address, as the greylist has it: an IPv4 /24, an IPv6 /64."""

import ipaddress
from functools import lru_cache

_IPV6_BITS = 64


def network(ip: bytes) -> bytes:
    """Name the network of an address; what is no address is its own."""
    if b":" in ip:
        return _of_ipv6(ip)
    head, dot, _ = ip.rpartition(b".")
    return head + b".0/24" if dot else ip


@lru_cache(maxsize=1 << 14)
def _of_ipv6(ip: bytes) -> bytes:
    try:
        whole = ipaddress.IPv6Network((ip.decode("ascii"), _IPV6_BITS), strict=False)
    except ValueError:
        return ip
    return str(whole).encode("ascii")
