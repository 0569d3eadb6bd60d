"""Who holds a port, as the kernel's tables tell it (proc(5), /proc/net/tcp and tcp6). Never reads one."""

from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import NamedTuple

#: include/net/tcp_states.h: TCP_LISTEN.
_LISTENS = "0A"
_Address = IPv4Address | IPv6Address


class Holder(NamedTuple):
    """A socket that listens. address: where. uid: its user. inode: by which descriptors lead to it."""

    address: str
    uid: int
    inode: int


def holders(table: str, address: str, port: int, byteorder: str) -> tuple[Holder, ...]:
    """Find the sockets that keep others from listening on an address.

    table: of /proc/net/tcp or tcp6. address, port: a literal one, without an interface, and its port. byteorder: the
    host's, in which the kernel writes each 32 bits of an address.
    """
    wanted = _plain(ip_address(address))
    return tuple(
        one for one in _listening(table, port, byteorder) if _collides(wanted, _plain(ip_address(one.address)))
    )


def _listening(table: str, port: int, byteorder: str) -> Iterator[Holder]:
    for line in table.splitlines()[1:]:
        fields = line.split()
        if len(fields) > 9 and fields[3] == _LISTENS:
            text, _, number = fields[1].partition(":")
            if int(number, 16) == port:
                yield Holder(str(_address(text, byteorder)), int(fields[7]), int(fields[9]))


def _address(text: str, byteorder: str) -> _Address:
    data = bytes.fromhex(text)
    if byteorder == "little":
        data = b"".join(data[start : start + 4][::-1] for start in range(0, len(data), 4))
    return ip_address(data)


def _plain(address: _Address) -> _Address:
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


def _collides(one: _Address, other: _Address) -> bool:
    """``::`` takes clients of IPv4 as well, and 0.0.0.0 none of IPv6 (ipv6(7))."""
    if one == other:
        return True
    ipv6 = [address for address in (one, other) if address.version == 6]
    wide = [address for address in (one, other) if address.is_unspecified]
    return bool(wide) and (len(ipv6) != 1 or ipv6[0].is_unspecified)
