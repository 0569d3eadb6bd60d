"""Where clients knock: host and port -> one listening socket. Never accepts."""

import ipaddress
import socket
import struct
from typing import Any

from ..core.errors import Failure, unable

_STREAM = int(socket.SOCK_STREAM)

#: tcp_info of a listening socket on Linux: tcpi_unacked is the length of its queue, tcpi_sacked the longest allowed.
_QUEUE = struct.Struct("=24xLL")


def port_number(port: str) -> int:
    """A decimal port or the name of a TCP service -> its number. Raises Failure with tcpserver's sentence."""
    if port.isascii() and port.isdigit():
        if int(port) <= 65535:
            return int(port)
    else:
        try:
            return socket.getservbyname(port, "tcp")
        except (OSError, UnicodeError):
            pass
    raise Failure(f"unable to figure out port number for {port}")


def literal(host: str) -> str | None:
    """The address that a host written as an address means; None for a name.

    Nothing and ``0`` are 0.0.0.0; brackets and leading zeros are djb's way of writing (dns_ip.c).
    """
    host = host.strip("[]")
    if host in ("", "0"):
        return "0.0.0.0"
    if ":" in host:
        try:
            return str(ipaddress.IPv6Address(host))
        except ValueError:
            return None
    parts = host.split(".")
    if len(parts) == 4 and all(part.isascii() and part.isdigit() and int(part) < 256 for part in parts):
        return ".".join(str(int(part)) for part in parts)
    return None


def is_crowded(listener: socket.socket) -> bool:
    """Whether half of the listener's queue is taken. Where the system does not tell, it never is.

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
        """A client, blocking, and its address. Raises what accept() does."""
        fd, address = self._accept()  # type: ignore[attr-defined]  # what socket.accept() calls
        return socket.SocketType(self._family, _STREAM, 0, fd), address

    def bind(self, address: Any) -> None:
        """Take an address."""
        self._family = int(self.family)
        super().bind(address)


def listen(address: str, port: int, backlog: int) -> Listener:
    """A non-blocking listening socket on an IPv4 or IPv6 address; ``::`` takes IPv4 clients as well.

    Raises Failure with tcpserver's sentence.
    """
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        listener = Listener(family, socket.SOCK_STREAM)
    except OSError as error:
        raise unable("create socket", error) from None
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if family == socket.AF_INET6:
        listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    try:
        listener.bind((address, port))
    except OSError as error:
        raise unable("bind", error) from None
    try:
        listener.listen(backlog)
    except OSError as error:
        raise unable("listen", error) from None
    listener.setblocking(False)
    return listener
