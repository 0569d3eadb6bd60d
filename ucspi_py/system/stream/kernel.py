"""The kernel asked about sockets of this host (sock_diag(7)). Asks no process, and reads no answer."""

import contextlib
import socket
from collections.abc import Iterable, Iterator

from ...core.top.sockets import CONNECTED, is_last, question

#: netlink(7): NETLINK_SOCK_DIAG.
_SOCK_DIAG = 4
#: Bytes that a packet may have, and seconds for which one is waited for.
_PACKET, _SECONDS = 1 << 17, 1.0


def answers(ports: Iterable[int], states: int = CONNECTED) -> Iterator[bytes]:
    """Yield all packets about sockets at local ports, as core.top.sockets reads them. states: as of question().

    Nothing where there is no such kernel, or a unit of systemd's keeps us from asking it.
    """
    if not hasattr(socket, "AF_NETLINK"):
        return
    with contextlib.suppress(OSError):
        for port in ports:
            for family in (socket.AF_INET, socket.AF_INET6):
                yield from _asked(question(family, port, states))


def _asked(told: bytes) -> Iterator[bytes]:
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _SOCK_DIAG) as kernel:
        kernel.settimeout(_SECONDS)
        kernel.send(told)
        while True:
            packet = kernel.recv(_PACKET)
            yield packet
            if is_last(packet):
                return
