"""Questions to the kernel about TCP sockets, and its answers, as bytes. Never sends one.

Source: sock_diag(7), linux/inet_diag.h, struct tcp_info of linux/tcp.h.
"""

import struct
from collections.abc import Iterator
from typing import NamedTuple

_HEAD = struct.Struct("=IHHII")
_REQUEST = struct.Struct("=BBBBI2s46x")
_SOCKET = struct.Struct("=4x48x4xII4xI")
_ATTRIBUTE = struct.Struct("=HH")
_BYTES = struct.Struct("=120xQQ")
_SOCK_DIAG_BY_FAMILY, _NLMSG_DONE, _NLMSG_ERROR = 20, 3, 2
_REQUEST_AND_DUMP = 0x301
_IPPROTO_TCP, _INET_DIAG_INFO = 6, 2
#: States of sockets: ESTABLISHED, FIN_WAIT1, FIN_WAIT2, CLOSE_WAIT; and LISTEN.
CONNECTED, LISTENING = 1 << 1 | 1 << 4 | 1 << 5 | 1 << 8, 1 << 10


class Traffic(NamedTuple):
    """What has gone over a connection, in bytes. received: from the client. sent: what it has acknowledged."""

    received: int
    sent: int


class Queue(NamedTuple):
    """A listener's. waiting: clients that nobody has accepted yet. limit: how many may wait."""

    waiting: int
    limit: int


def question(family: int, port: int, states: int = CONNECTED) -> bytes:
    """Ask for all sockets at a local port. family: AF_INET or AF_INET6. states: CONNECTED, or LISTENING."""
    extensions = 1 << _INET_DIAG_INFO - 1
    body = _REQUEST.pack(family, _IPPROTO_TCP, extensions, 0, states, port.to_bytes(2, "big"))
    return _HEAD.pack(_HEAD.size + len(body), _SOCK_DIAG_BY_FAMILY, _REQUEST_AND_DUMP, 1, 0) + body


def is_last(packet: bytes) -> bool:
    """Whether the answer ends with a packet."""
    return any(kind in (_NLMSG_DONE, _NLMSG_ERROR) for kind, _ in _messages(packet))


def traffic(packet: bytes) -> Iterator[tuple[int, Traffic]]:
    """Read a packet of the answer: the inode of each connection, and what has gone over it."""
    for kind, body in _messages(packet):
        if kind == _SOCK_DIAG_BY_FAMILY and len(body) >= _SOCKET.size:
            *_, inode = _SOCKET.unpack_from(body)
            for attribute, value in _attributes(body[_SOCKET.size :]):
                if attribute == _INET_DIAG_INFO and len(value) >= _BYTES.size:
                    acked, received = _BYTES.unpack_from(value)
                    yield inode, Traffic(received, acked)


def queues(packet: bytes) -> Iterator[tuple[int, Queue]]:
    """Read a packet of the answer: the inode of each listener, and its queue (tcp_diag.c, tcp_diag_get_info)."""
    for kind, body in _messages(packet):
        if kind == _SOCK_DIAG_BY_FAMILY and len(body) >= _SOCKET.size:
            waiting, limit, inode = _SOCKET.unpack_from(body)
            yield inode, Queue(waiting, limit)


def _messages(packet: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at + _HEAD.size <= len(packet):
        length, kind, *_ = _HEAD.unpack_from(packet, at)
        yield kind, packet[at + _HEAD.size : at + length]
        at += max(_HEAD.size, _aligned(length))


def _attributes(data: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at + _ATTRIBUTE.size <= len(data):
        length, kind = _ATTRIBUTE.unpack_from(data, at)
        yield kind, data[at + _ATTRIBUTE.size : at + length]
        at += max(_ATTRIBUTE.size, _aligned(length))


def _aligned(length: int) -> int:
    return length + 3 & ~3
