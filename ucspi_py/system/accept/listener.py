"""Host and port -> one listening socket, and the state of its queue. Accepts only when it is asked to."""

import os
import socket
import struct
import sys
from typing import Any

from ...core import address
from ...core.errors import Failure, unable
from ..process.sockaddr import family, sockaddr

_STREAM = int(socket.SOCK_STREAM)
#: On Linux what is accepted blocks; elsewhere (BSD, macOS) it is as its listener is, and a program would read EAGAIN.
_INHERITS_NON_BLOCKING = sys.platform != "linux"

#: Containers may have none of it: getservbyname then knows no service.
_SERVICES = "/etc/services"
_NO_SERVICES = f"there is no {_SERVICES}; give a number, or install it (on Debian: apt-get install netbase)"

#: tcp_info of a listening socket on Linux: tcpi_unacked is the length of its queue, tcpi_sacked the longest allowed.
_QUEUE = struct.Struct("=24xLL")


def port_number(port: str) -> int:
    """Parse a decimal port or look up a TCP service (services(5)).

    Raises Failure with tcpserver's sentence, and what to do where the system knows no service at all.
    """
    if port.isascii() and port.isdigit():
        digits = port.lstrip("0") or "0"
        if len(digits) <= 5 and int(digits) <= 65535:
            return int(digits)
    else:
        try:
            return socket.getservbyname(port, "tcp")
        except (OSError, UnicodeError):
            if not os.path.exists(_SERVICES):
                raise Failure(f"unable to figure out port number for {port}: {_NO_SERVICES}") from None
    raise Failure(f"unable to figure out port number for {port}")


def literal(host: str) -> str | None:
    """Parse a host that is written as an address; None for a name.

    Nothing and ``0`` are 0.0.0.0; brackets and leading zeros are djb's way of writing (dns_ip.c). A link-local address
    of IPv6 has its interface: ``fe80::1%eth0``.
    """
    host = host.strip("[]")
    return "0.0.0.0" if host in ("", "0") else address.literal(host)


def is_crowded(listener: socket.socket) -> bool:
    """Whether half of the listener's queue is taken; False where the system does not show it.

    Linux forgets clients when the queue is full and SYN cookies are on: they believe to be connected and wait for ever.
    """
    if not hasattr(socket, "TCP_INFO"):
        return False
    info = listener.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _QUEUE.size)
    if len(info) < _QUEUE.size:
        return False
    queued, limit = _QUEUE.unpack(info)
    return bool(limit and 2 * queued >= limit)


class Listener(socket.socket):
    """A listening socket that gives its clients as the plain sockets of C: nothing of Python's is made for each."""

    def next_client(self) -> tuple[socket.SocketType, Any]:
        """Accept a client: its socket, blocking, and its address. Raises what accept(2) does."""
        fd, peer = self._accept()  # type: ignore[attr-defined]  # what socket.accept() calls
        if _INHERITS_NON_BLOCKING:
            os.set_blocking(fd, True)
        return socket.SocketType(self._family, _STREAM, 0, fd), peer

    def bind(self, local: Any) -> None:
        """Bind to an address, as the system's call takes it."""
        self._family = int(self.family)
        super().bind(local)

    def take_over(self) -> None:
        """Be made ready for next_client(), where somebody else has bound the socket."""
        self._family = int(self.family)
        self.setblocking(False)


def listen(ip: str, port: int, backlog: int) -> Listener:
    """Open a non-blocking listening socket (tcpserver.c, main).

    ip: IPv4, or IPv6, with its interface if need be; ``::`` takes IPv4 clients as well. port: 0 = any free one.
    backlog: connections that may wait to be accepted (listen(2)). Raises Failure with tcpserver's sentence.
    """
    try:
        listener = Listener(family(ip), socket.SOCK_STREAM)
    except OSError as error:
        raise unable("create socket", error) from None
    deed = "bind"
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if listener.family == socket.AF_INET6:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        listener.bind(sockaddr(ip, port))
        deed = "listen"
        listener.listen(backlog)
    except OSError as error:
        listener.close()
        raise unable(deed, error) from None
    listener.setblocking(False)
    return listener


def of_descriptor(fd: int) -> Listener:
    """Make a non-blocking listener of a socket that somebody else has made. fd: its descriptor. Raises OSError."""
    listener = Listener(fileno=fd)
    listener.take_over()
    return listener
