"""Ports for servers that cannot choose their own."""

import random
import socket
from pathlib import Path

_LOWEST = 10_000
_TRIES = 1000


def free_port(ip: str = "127.0.0.1") -> int:
    """A port on which nobody listens, below those that the kernel gives to clients.

    So no client takes it meanwhile; nor does one who knocks before the server listens have it at its own end, and is
    connected to itself (RFC 9293, 3.5: simultaneous open).
    """
    end = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    for _ in range(_TRIES):
        port = random.randrange(_LOWEST, end)
        with socket.socket() as probe:
            try:
                probe.bind((ip, port))
            except OSError:
                continue
        return port
    raise AssertionError(f"no port is free on {ip}")
