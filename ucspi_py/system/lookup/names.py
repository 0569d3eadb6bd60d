"""Looking up the names of a connection: the client's, ours, its ident answer, all at once. Never decides."""

import asyncio
import socket
import time
from dataclasses import dataclass, field

from ...core.address import is_ipv6, reversed_name
from ...core.client.connection import Endpoints, Names
from ...core.dns import message as dns_message
from ...core.dns.message import Ask, Found
from ...core.service.settings import ServerSettings
from . import ident_client
from .futures import answer_to


@dataclass(frozen=True, slots=True)
class NameLookup:
    """Looks up the names of a server's clients.

    ask: sends DNS queries. static: the names of every client; None where they have to be looked up.
    """

    settings: ServerSettings
    ask: Ask
    static: Names | None = field(init=False)

    def __post_init__(self) -> None:
        static = None if self.settings.looks_up else Names(self.settings.local_name, None, None)
        object.__setattr__(self, "static", static)

    async def look_up(self, endpoints: Endpoints) -> Names:
        """Look names up as -h, -p, -l and -r want, all together within -t seconds (tcpserver.c, doit)."""
        settings, ask = self.settings, self.ask
        deadline = time.monotonic() + settings.lookup_seconds
        local_host, remote_host, remote_info = await asyncio.gather(
            _local_host(settings, ask, endpoints.local_ip, deadline),
            _remote_host(settings, ask, endpoints.remote_ip, deadline),
            _remote_info(settings, endpoints, deadline),
        )
        return Names(local_host, remote_host, remote_info)


async def _local_host(settings: ServerSettings, ask: Ask, ip: bytes, deadline: float) -> bytes | None:
    if settings.local_name is not None:
        return settings.local_name
    return await _name_of(ask, ip, deadline)


async def _remote_host(settings: ServerSettings, ask: Ask, ip: bytes, deadline: float) -> bytes | None:
    if not settings.remote_host:
        return None
    host = await _name_of(ask, ip, deadline)
    if host and settings.paranoid and not await _has_address(ask, host, ip, deadline):
        return None
    return host


async def _remote_info(settings: ServerSettings, endpoints: Endpoints, deadline: float) -> bytes | None:
    return await ident_client.ask(endpoints, deadline) if settings.remote_info else None


async def _name_of(ask: Ask, ip: bytes, deadline: float) -> bytes | None:
    zone = b"ip6.arpa" if is_ipv6(ip) else b"in-addr.arpa"
    answer = await answer_to(ask, reversed_name(ip) + zone, dns_message.PTR, deadline)
    return answer.records[0] if isinstance(answer, Found) else None


async def _has_address(ask: Ask, host: bytes, ip: bytes, deadline: float) -> bool:
    """tcpserver -p: the name must lead back to the address."""
    family, kind = (socket.AF_INET6, dns_message.AAAA) if is_ipv6(ip) else (socket.AF_INET, dns_message.A)
    answer = await answer_to(ask, host, kind, deadline)
    return isinstance(answer, Found) and socket.inet_pton(family, ip.decode()) in answer.records
