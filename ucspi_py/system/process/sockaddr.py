"""An address and a port -> what the system's calls take. Never looks a name up."""

import errno
import socket

SocketAddress = tuple[str, int] | tuple[str, int, int, int]


def family(ip: str) -> socket.AddressFamily:
    """The family of an address, IPv4's or IPv6's."""
    return socket.AF_INET6 if ":" in ip else socket.AF_INET


def sockaddr(ip: str, port: int) -> SocketAddress:
    """Build what bind(2) and connect(2) take.

    ip: with the interface of a link-local address (``fe80::1%eth0``, RFC 4007). port: 0 to 65535. Raises OSError
    (ENXIO) where there is no such interface, now; there may be one later.
    """
    if ":" not in ip:
        return ip, port
    plain, _, zone = ip.partition("%")
    return plain, port, 0, _interface(zone) if zone else 0


def _interface(zone: str) -> int:
    """The number of an interface, by its name or its number."""
    try:
        return socket.if_nametoindex(zone)
    except OSError:
        if zone.isascii() and zone.isdigit() and len(zone) < 10:
            return int(zone)
        raise OSError(errno.ENXIO, f"no interface {zone}") from None
