"""Query all zones about a client, or about themselves, for pyrblcheck. Never refuses."""

import asyncio
import contextlib
import time
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import partial
from typing import NamedTuple

from ...core.address import reversed_name
from ...core.dns.message import PTR, Ask, Failed
from ...core.dnsbl.answers import Result
from ...core.dnsbl.health import Health
from ...core.dnsbl.zone import Zone
from ...core.service.settings import Program
from ...core.smtp.verdict import Accept, Verdict
from ..lookup import resolver
from ..lookup.futures import answer_to
from .judge import query_all
from .query import ask_zone, examine


class Checked(NamedTuple):
    """One client: what each zone said, and the verdict that a server would reach with that."""

    ip: bytes
    results: tuple[tuple[Zone, Result], ...]
    verdict: Verdict


def clients(program: Program, ips: list[bytes]) -> list[Checked]:
    """Ask every zone of every screen about every client; nothing is remembered, and nobody stops early."""
    return asyncio.run(_clients(program, ips))


def zones(program: Program) -> list[tuple[Zone, Health]]:
    """Ask every zone for its test points; of one that has none only whether it answers."""
    return asyncio.run(_zones(program))


def tested(wanted: Iterable[Zone], patience: float) -> dict[bytes, Health] | None:
    """Test zones, all at once -> of each name what that has shown; None = no name server answers.

    patience: seconds for all of it. Raises AskedWrongly for a word in $DNSCACHEIP that is no name server.
    """
    return asyncio.run(_tested({zone.name: zone for zone in wanted}, patience))


async def _clients(program: Program, ips: list[bytes]) -> list[Checked]:
    with contextlib.closing(resolver.from_environment()) as servers:
        return [await _client(program, ip, servers.ask) for ip in ips]


async def _client(program: Program, ip: bytes, ask: Ask) -> Checked:
    """One after the other, as in a server, the first screen that refuses decides."""
    result: list[tuple[Zone, Result]] = []
    verdict: Verdict = Accept()
    for screen in program.dnsbl_screens:
        # As if it were only interrogated: then all that the zones say is waited for.
        screened = await query_all(replace(screen, interrogate=True), ip, partial(ask_zone, ask))
        result += ((zone, said) for zone, said in zip(screen.zones, screened.results, strict=True) if said)
        if isinstance(verdict, Accept):
            verdict = screened.verdict
    return Checked(ip, tuple(result), verdict)


async def _zones(program: Program) -> list[tuple[Zone, Health]]:
    with contextlib.closing(resolver.from_environment()) as servers:
        health = await asyncio.gather(*(examine(servers.ask, zone) for zone in program.zones))
    return list(zip(program.zones, health, strict=True))


async def _tested(wanted: Mapping[bytes, Zone], patience: float) -> dict[bytes, Health] | None:
    with contextlib.closing(resolver.from_environment()) as servers:
        # RFC 6303, 4.2: every resolver knows this name by itself.
        known = answer_to(servers.ask, reversed_name(b"127.0.0.1") + b"in-addr.arpa", PTR, time.monotonic() + patience)
        health = await asyncio.gather(*(examine(servers.ask, zone, patience) for zone in wanted.values()))
        if isinstance(await known, Failed) and not any(one.reachable for one in health):
            return None
    return dict(zip(wanted, health, strict=True))
