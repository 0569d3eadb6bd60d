"""The channel between workers and the guard: packets, each with the descriptor on which its answer is awaited.

All workers have the same end of it. Nothing comes back by it, so none of them reads what another is told (unix(7)).
"""

import array
import contextlib
import select
import socket
from typing import NamedTuple

from ...core.guard.request import PACKET_LIMIT
from .discard import discard

#: Whoever has the other end may shut down one half of it only, which is the end as well.
_END = getattr(select, "POLLRDHUP", 0)


class Taken(NamedTuple):
    """A packet that has come. fds: descriptors that were passed with it, which are the caller's to close."""

    packet: bytes
    fds: list[int]


class Parcel(NamedTuple):
    """What has come in. packet: its bytes. answer: where somebody waits for the answer."""

    packet: bytes
    answer: socket.socket


class Guarded(NamedTuple):
    """What the master and its workers have of the guard.

    pid: its process id. channel: on which it is asked. keys: descriptors of the sealed keys as they were at the start.
    """

    pid: int
    channel: socket.socket
    keys: tuple[int, ...]


def pair() -> tuple[socket.socket, socket.socket]:
    """Make two connected sockets that keep packets apart; neither ever waits."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    ours.setblocking(False)
    theirs.setblocking(False)
    return ours, theirs


def is_over(channel: socket.socket) -> bool:
    """Whether nothing can come any more (poll(2)); recvmsg(2) shows an empty packet as an end, too, which is none."""
    poll = select.poll()
    poll.register(channel, _END)
    return bool(poll.poll(0))


def ask(channel: socket.socket, packet: bytes) -> socket.socket:
    """Send a packet; the socket on which its answer comes. Raises OSError, also where there is no room for it now."""
    ours, theirs = pair()
    with theirs:
        try:
            socket.send_fds(channel, [packet], [theirs.fileno()])
        except BaseException:
            ours.close()
            raise
    return ours


def receive(channel: socket.socket) -> Parcel | None:
    """Take what has come; None for what nobody may send: no packet sockets, none or several of them, too many bytes.

    Whatever was passed with that is closed. Raises BlockingIOError where nothing has come.
    """
    taken = take(channel, PACKET_LIMIT, 1)
    if taken and len(taken.fds) == 1:
        answer = _packet_socket(taken.fds[0])
        return Parcel(taken.packet, answer) if answer else None
    discard(taken.fds if taken else ())
    return None


def take(channel: socket.socket, size: int, most: int) -> Taken | None:
    """Take a packet, and the descriptors passed with it, close-on-exec; None: it is more than there may be.

    size: bytes that it may have. most: descriptors. Raises BlockingIOError where nothing has come. recv_fds() of the
    library passes no flags on, so programs would inherit what it takes.
    """
    room = socket.CMSG_SPACE(most * array.array("i").itemsize)
    packet, ancillary, flags, _ = channel.recvmsg(size, room, socket.MSG_CMSG_CLOEXEC)
    fds = array.array("i")
    for level, kind, data in ancillary:
        if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
            fds.frombytes(data[: len(data) - len(data) % fds.itemsize])
    if len(fds) > most or flags & (socket.MSG_TRUNC | socket.MSG_CTRUNC):
        discard(fds)
        return None
    return Taken(packet, list(fds))


def reply(answer: socket.socket, packet: bytes, *fds: int) -> None:
    """Send an answer, and leave its socket: whoever does not take it at once, as it is gone or full, gets none.

    fds: descriptors that go with it.
    """
    with contextlib.suppress(OSError):
        socket.send_fds(answer, [packet], fds, socket.MSG_DONTWAIT)
    leave(answer)


def leave(answer: socket.socket) -> None:
    """Close the socket of whoever waits for an answer."""
    discard([answer.detach()])


def _packet_socket(fd: int) -> socket.socket | None:
    """The socket that a descriptor is, where it keeps packets apart and stays on this host; otherwise it is left."""
    try:
        passed = socket.socket(fileno=fd)
    except OSError:  # no socket at all
        discard([fd])
        return None
    if (passed.family, passed.type) == (socket.AF_UNIX, socket.SOCK_SEQPACKET):
        return passed
    leave(passed)
    return None
