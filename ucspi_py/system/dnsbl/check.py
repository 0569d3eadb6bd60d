"""What the zones would say of a client, and whether they are well, for who wants to know now. Never refuses."""

import asyncio
import contextlib
from dataclasses import replace
from functools import partial
from typing import NamedTuple

from ...core.dns.message import Ask
from ...core.dnsbl.health import Health
from ...core.dnsbl.zone import Zone
from ...core.settings import Program
from ...core.smtp.verdict import Accept, Verdict
from ..lookup import resolver
from .query import Heard, examine, hear
from .screen import interview


class Checked(NamedTuple):
    """One client: what each zone said, and the verdict that a server would reach with that."""

    ip: bytes
    heard: tuple[tuple[Zone, Heard], ...]
    verdict: Verdict


def clients(program: Program, ips: list[bytes]) -> list[Checked]:
    """Ask every zone of every screen about every client; nothing is remembered, and nobody stops early."""
    return asyncio.run(_clients(program, ips))


def zones(program: Program) -> list[tuple[Zone, Health]]:
    """Ask every zone for its test points; of one that has none only whether it answers."""
    return asyncio.run(_zones(program))


async def _clients(program: Program, ips: list[bytes]) -> list[Checked]:
    with contextlib.closing(resolver.from_environment()) as servers:
        return [await _client(program, ip, servers.ask) for ip in ips]


async def _client(program: Program, ip: bytes, ask: Ask) -> Checked:
    """One after the other, as in a server, the first screen that refuses decides."""
    heard: list[tuple[Zone, Heard]] = []
    verdict: Verdict = Accept()
    for screen in program.zone_screens:
        # As if it were only interrogated: then all that the zones say is waited for.
        opinion = await interview(replace(screen, interrogate=True), ip, partial(hear, ask))
        heard += ((zone, said) for zone, said in zip(screen.zones, opinion.heard, strict=True) if said)
        if isinstance(verdict, Accept):
            verdict = opinion.verdict
    return Checked(ip, tuple(heard), verdict)


async def _zones(program: Program) -> list[tuple[Zone, Health]]:
    with contextlib.closing(resolver.from_environment()) as servers:
        health = await asyncio.gather(*(examine(servers.ask, zone) for zone in program.zones))
    return list(zip(program.zones, health, strict=True))
