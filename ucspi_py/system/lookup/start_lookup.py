"""The address of a host name, once, before we listen. Never used for a client."""

import asyncio
import socket
import time
from contextlib import closing

from ...core.dns import message as dns_message
from ...core.dns.message import Answer, Failed, Found
from ...core.errors import Failure
from .futures import answer_to
from .resolver import from_environment

#: Seconds for both address families together.
_PATIENCE = 20.0


def address_of(host: str) -> str:
    """Look up the first address of a name, IPv4 before IPv6, by the name servers and not in /etc/hosts, as in C.

    ``localhost`` is 127.0.0.1 wherever the servers do not know it (RFC 6761, 6.3). Raises Failure with tcpserver's
    sentence.
    """
    ipv4, ipv6 = asyncio.run(_ask_both(host.encode("utf-8", "surrogateescape")))
    if isinstance(ipv4, Found):
        return socket.inet_ntop(socket.AF_INET, ipv4.records[0])
    if isinstance(ipv6, Found):
        return socket.inet_ntop(socket.AF_INET6, ipv6.records[0])
    if host.rstrip(".").lower() == "localhost":
        return "127.0.0.1"
    if isinstance(ipv4, Failed):
        raise Failure(f"temporarily unable to figure out IP address for {host}: {ipv4.reason}")
    raise Failure(f"no IP address for {host}")


async def _ask_both(name: bytes) -> tuple[Answer, Answer]:
    deadline = time.monotonic() + _PATIENCE
    # Closed, or its socket would stay open in the master and all workers.
    with closing(from_environment()) as resolver:
        ipv4, ipv6 = await asyncio.gather(
            answer_to(resolver.ask, name, dns_message.A, deadline),
            answer_to(resolver.ask, name, dns_message.AAAA, deadline),
        )
    return ipv4, ipv6
