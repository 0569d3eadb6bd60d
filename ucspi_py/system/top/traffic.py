"""How many bytes have gone over each connection, by the kernel's count. Asks no process for it."""

import contextlib
import socket
from collections.abc import Iterable

from ...core.top.sockets import Traffic, is_last, question, traffic

#: netlink(7): NETLINK_SOCK_DIAG.
_SOCK_DIAG = 4
#: Bytes that a packet may have, and seconds for which one is waited for.
_PACKET, _SECONDS = 1 << 17, 1.0


def by_inode(ports: Iterable[int]) -> dict[int, Traffic]:
    """The traffic of all connections to local ports, by the inode of the socket.

    Empty where there is no such kernel, or a unit of systemd's keeps us from asking it.
    """
    found: dict[int, Traffic] = {}
    if not hasattr(socket, "AF_NETLINK"):
        return found
    with contextlib.suppress(OSError):
        for port in ports:
            for family in (socket.AF_INET, socket.AF_INET6):
                found.update(_asked(family, port))
    return found


def _asked(family: int, port: int) -> dict[int, Traffic]:
    found: dict[int, Traffic] = {}
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _SOCK_DIAG) as kernel:
        kernel.settimeout(_SECONDS)
        kernel.send(question(family, port))
        while True:
            packet = kernel.recv(_PACKET)
            found.update(traffic(packet))
            if is_last(packet):
                return found
