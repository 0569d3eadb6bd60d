"""One zone asked about one client: A first, TXT only where it is needed. Never remembers and never judges."""

import asyncio
from typing import NamedTuple

from ..core import dnsbl, zone_health
from ..core.address import reversed_name
from ..core.dns_message import TXT, A, Answer, Ask, Failed
from ..core.dnsbl import CLEAN, Finding
from ..core.zone import Zone
from ..core.zone_health import Health
from .chance import random_number


class Heard(NamedTuple):
    """What a zone said, how long that took, and for how many seconds it holds."""

    finding: Finding
    seconds: float
    ttl: int


NOT_ASKED = Heard(CLEAN, 0.0, 0)

#: Seconds that a test of a zone may take.
_TEST_PATIENCE = 5.0


async def hear_of(ask: Ask, zone: Zone, ip: bytes, deadline: float, *, ask_private: bool) -> Heard:
    """What a zone says of a client by hear(), or that it is not one to be asked about this client."""
    name = dnsbl.query(zone, ip, ask_private=ask_private)
    return await hear(ask, zone, name, ip, deadline) if name else NOT_ASKED


async def hear(ask: Ask, zone: Zone, name: bytes, ip: bytes, deadline: float) -> Heard:
    """What a zone says of a client, by the running loop's clock no later than the deadline.

    name: the name to ask for, of dnsbl.query.
    """
    loop = asyncio.get_running_loop()
    start = loop.time()
    address = await ask(name, A, deadline)
    finding = dnsbl.after_address(zone, address)
    ttl = _ttl(address)
    if finding is None:
        text = await ask(name, TXT, deadline)
        finding = dnsbl.after_text(zone, ip, address, text)
        ttl = min(ttl, _ttl(text))
    return Heard(finding, loop.time() - start, ttl)


async def examine(ask: Ask, zone: Zone) -> Health:
    """What a zone says of itself within 5 seconds: of its test points, and of an address chosen at random.

    For the test points a name server may speak from memory, long after the zone has ceased to answer.
    """
    deadline = asyncio.get_running_loop().time() + _TEST_PATIENCE
    anybody = b"127.%d.%d.254" % divmod(random_number(), 256)
    points = (anybody, zone_health.LISTED_POINT, zone_health.CLEAN_POINT) if zone.tested else (anybody,)
    questions = (ask(reversed_name(point) + zone.name, A, deadline) for point in points)
    news, *answers = await asyncio.gather(*questions)
    health = zone_health.of_news(news)
    return zone_health.of_test_points(zone, *answers) if zone.tested and health.reachable else health


def _ttl(answer: Answer) -> int:
    return 0 if isinstance(answer, Failed) else answer.ttl
