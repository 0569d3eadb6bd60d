"""The socket options of a client that a banner or a program is about to write to (tcpserver.c, doit)."""

import socket

from ...core.address import is_ipv6
from ...core.client.connection import Endpoints
from ...core.service.settings import ServerSettings


def set_options(settings: ServerSettings, client: socket.SocketType, endpoints: Endpoints) -> None:
    """Remove the client's IP options (not with -o) and send small packets at once (with -D).

    A client that is gone already is no error.
    """
    try:
        # A client mapped into :: has IP options, too.
        if settings.kill_ip_options and not is_ipv6(endpoints.remote_ip):
            client.setsockopt(socket.IPPROTO_IP, socket.IP_OPTIONS, b"")
        if not settings.delay:
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    except OSError:
        pass  # as in C: a client that is gone already is found out by whoever writes to it
