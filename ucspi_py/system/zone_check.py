"""What the zones would say of a client, and whether they are well, for who wants to know now. Never refuses."""

import asyncio
from typing import NamedTuple

from ..core import dnsbl
from ..core.dns_message import Ask
from ..core.settings import ScreenSettings
from ..core.verdict import Accept, Verdict
from ..core.zone import Zone
from ..core.zone_health import Health
from . import resolver
from .zone_asking import NOT_ASKED, Heard, hear, test_points


class Checked(NamedTuple):
    """One client: what each zone said, and the verdict that a server would reach with that."""

    ip: bytes
    heard: tuple[Heard, ...]
    verdict: Verdict


def clients(settings: ScreenSettings, ips: list[bytes]) -> list[Checked]:
    """Ask every zone about every client; nothing is remembered, and nobody stops early."""
    return asyncio.run(_clients(settings, ips))


def zones(settings: ScreenSettings) -> list[tuple[Zone, Health]]:
    """Ask every zone for its test points; one that has none is said to be well."""
    return asyncio.run(_zones(settings))


async def _clients(settings: ScreenSettings, ips: list[bytes]) -> list[Checked]:
    ask = resolver.from_environment().ask
    return [await _client(settings, ip, ask) for ip in ips]


async def _client(settings: ScreenSettings, ip: bytes, ask: Ask) -> Checked:
    deadline = asyncio.get_running_loop().time() + settings.lookup_seconds

    async def of(zone: Zone) -> Heard:
        name = dnsbl.query(zone, ip, ask_private=settings.ask_private)
        return await hear(ask, zone, name, ip, deadline) if name else NOT_ASKED

    heard = tuple(await asyncio.gather(*map(of, settings.zones)))
    verdict = dnsbl.judge(settings, [said.finding for said in heard])
    return Checked(ip, heard, verdict or Accept())


async def _zones(settings: ScreenSettings) -> list[tuple[Zone, Health]]:
    ask = resolver.from_environment().ask
    return list(
        zip(settings.zones, await asyncio.gather(*(test_points(ask, zone) for zone in settings.zones)), strict=True)
    )
