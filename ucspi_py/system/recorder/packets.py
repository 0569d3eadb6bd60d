"""Packets of the recorder's socket: a request with the client's own socket, and the answer to it."""

import array
import contextlib
import os
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from ...core.ledger.recorder import request as requests
from ...core.ledger.recorder.request import Reply, Request

#: Seconds that a login waits for us in all, and that we wait for anything.
PATIENCE = 1.0

_DESCRIPTOR = array.array("i").itemsize


def ask(path: str, request: Request, client: int | None) -> Reply:
    """Tell the recorder of a login, within a second. client: descriptor of its socket; None = there is none.

    path: of the recorder's socket. Raises OSError where nobody answers, ValueError for what cannot be told.
    """
    packet = requests.packed(request)
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as asked:
        asked.settimeout(PATIENCE)
        asked.connect(path)
        socket.send_fds(asked, [packet], [] if client is None else [client])
        return requests.understood(asked.recv(requests.LIMIT))


@contextmanager
def received(connection: socket.socket) -> Iterator[tuple[bytes, Sequence[int]]]:
    """Receive a packet and the descriptors that came with it, which are closed at the end.

    Raises OSError where nothing comes within a second.
    """
    connection.settimeout(PATIENCE)
    space = socket.CMSG_SPACE(_DESCRIPTOR)
    packet, ancillary, _, _ = connection.recvmsg(requests.LIMIT + 1, space, socket.MSG_CMSG_CLOEXEC)
    descriptors = array.array("i")
    for level, kind, data in ancillary:
        if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
            descriptors.frombytes(data[: len(data) - len(data) % _DESCRIPTOR])
    try:
        yield packet, descriptors
    finally:
        for descriptor in descriptors:
            with contextlib.suppress(OSError):
                os.close(descriptor)
