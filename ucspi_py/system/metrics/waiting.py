"""How many clients wait to be accepted, by the kernel's count. Accepts none."""

import os
import socket
from collections.abc import Collection, Iterator
from typing import NamedTuple

from ...core.metrics.family import Family, gauge
from ...core.top.sockets import LISTENING, queues
from ..stream.kernel import answers


class Doors(NamedTuple):
    """The listeners of a service, as the kernel knows them. ports: where they listen. inodes: of their sockets."""

    ports: frozenset[int]
    inodes: frozenset[int]


def doors(listeners: Collection[socket.SocketType]) -> Doors:
    """Tell listeners from others at their ports; nobody need hold them open for it."""
    return Doors(
        frozenset(one.getsockname()[1] for one in listeners),
        frozenset(os.fstat(one.fileno()).st_ino for one in listeners),
    )


def families(doors: Doors) -> Iterator[Family]:
    """All who wait, and how many may; none where the kernel does not tell."""
    answered = (found for packet in answers(doors.ports, LISTENING) for found in queues(packet))
    known = [queue for inode, queue in answered if inode in doors.inodes]
    if known:
        yield gauge("ucspi_listen_queue", "Clients that wait to be accepted.", sum(one.waiting for one in known))
        yield gauge("ucspi_listen_queue_limit", "Clients that may wait so.", sum(one.limit for one in known))
