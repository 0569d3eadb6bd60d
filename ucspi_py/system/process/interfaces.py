"""The addresses of this host, as the kernel has them now (rtnetlink(7)). Never chooses among them."""

import ipaddress
import socket
import struct
from collections.abc import Iterator

#: linux/netlink.h, linux/rtnetlink.h and linux/if_addr.h.
_REQUEST, _DUMP = 0x1, 0x300
_ERROR, _DONE, _NEW_ADDRESS, _GET_ADDRESS = 2, 3, 20, 22
_ADDRESS, _LOCAL = 1, 2
_HEADER, _MESSAGE, _ATTRIBUTE = struct.Struct("=IHHII"), struct.Struct("=BBBBI"), struct.Struct("=HH")
#: Bytes of one datagram (the kernel sends 32 KB at most), how many are read at most, and seconds for each.
_DATAGRAM, _DATAGRAMS, _PATIENCE = 1 << 16, 1000, 1.0


def host_addresses() -> tuple[bytes, ...]:
    """Find the canonical addresses of all interfaces; none where the kernel does not say (getifaddrs(3))."""
    try:
        return tuple(_addresses())
    except OSError:
        return ()


def _addresses() -> Iterator[bytes]:
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE) as kernel:
        kernel.settimeout(_PATIENCE)
        size = _HEADER.size + _MESSAGE.size
        kernel.send(_HEADER.pack(size, _GET_ADDRESS, _REQUEST | _DUMP, 1, 0) + _MESSAGE.pack(0, 0, 0, 0, 0))
        for _ in range(_DATAGRAMS):
            for kind, body in _parts(kernel.recv(_DATAGRAM), _HEADER):
                if kind in (_DONE, _ERROR):
                    return
                if kind == _NEW_ADDRESS:
                    yield from _own(dict(_parts(body[_MESSAGE.size :], _ATTRIBUTE)))


def _own(attributes: dict[int, bytes]) -> Iterator[bytes]:
    """The interface's own address; of a link between two, _ADDRESS is the other's."""
    packed = attributes.get(_LOCAL, attributes.get(_ADDRESS, b""))
    if len(packed) in (4, 16):
        yield str(ipaddress.ip_address(packed)).encode("ascii")


def _parts(data: bytes, head: struct.Struct) -> Iterator[tuple[int, bytes]]:
    """Yield the kind and the body of each part. head: what a part begins with, its length and its kind first."""
    while len(data) >= head.size:
        length, kind = head.unpack_from(data)[:2]
        if not head.size <= length <= len(data):
            return
        yield kind, data[head.size : length]
        data = data[(length + 3) & ~3 :]
