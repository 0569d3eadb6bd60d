"""What the system says of whoever asks, and of a descriptor that was passed along. Never believes either."""

import contextlib
import socket
import struct

from ...core.address import canonical
from ...core.ledger.recorder.proof import Connected

#: The kernel's struct ucred: pid, uid, gid.
_CREDENTIALS = struct.Struct("iII")
#: <asm-generic/socket.h>, since Linux 5.14: a number that no other network namespace has.
_SO_NETNS_COOKIE = 71
_COOKIE_LENGTH = 8
#: <netinet/tcp.h>: the first byte of struct tcp_info is the state.
_ESTABLISHED = 1


def user_of(connection: socket.socket) -> int:
    """The user id of the process at the other end of a Unix socket, when it connected."""
    packed = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    uid: int = _CREDENTIALS.unpack(packed)[1]
    return uid


def connected(descriptor: int) -> Connected | None:
    """Look at a descriptor, which stays open; None = it is no connection over TCP. descriptor: its number.

    Asks nothing that can wait, as fstat(2) can: it may be a file of a filesystem that its owner serves.
    """
    try:
        client = socket.socket(fileno=descriptor)
    except OSError:
        return None
    try:
        return _described(client)
    except (OSError, ValueError):
        return None  # it listens, or is not connected any more
    finally:
        client.detach()


def _described(client: socket.socket) -> Connected | None:
    internet = client.family in (socket.AF_INET, socket.AF_INET6)
    if not internet or client.type != socket.SOCK_STREAM or client.proto != socket.IPPROTO_TCP:
        return None
    return Connected(
        remote_ip=canonical(client.getpeername()[0]),
        local_port=client.getsockname()[1],
        is_of_this_network=_is_of_this_network(client),
        is_established=client.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0] == _ESTABLISHED,
    )


def _is_of_this_network(client: socket.socket) -> bool:
    """Whether it was made in our network namespace; False where the kernel cannot tell."""
    with contextlib.suppress(OSError), socket.socket() as ours:
        return _cookie(client) == _cookie(ours)
    return False


def _cookie(one: socket.socket) -> bytes:
    return one.getsockopt(socket.SOL_SOCKET, _SO_NETNS_COOKIE, _COOKIE_LENGTH)
