"""One zone asked about one client: A first, TXT only where it is needed. Never remembers and never judges."""

import asyncio
from typing import NamedTuple

from ..core import dnsbl, zone_health
from ..core.address import reversed_name
from ..core.dns_message import TXT, A, Answer, Ask, Failed
from ..core.dnsbl import CLEAN, Finding
from ..core.zone import Zone
from ..core.zone_health import Health


class Heard(NamedTuple):
    """What a zone said, how long that took, and for how many seconds it holds."""

    finding: Finding
    seconds: float
    ttl: int


NOT_ASKED = Heard(CLEAN, 0.0, 0)

#: Seconds that a test of a zone may take.
_TEST_PATIENCE = 5.0


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


async def test_points(ask: Ask, zone: Zone) -> Health:
    """What the test points of a zone say of it, within 5 seconds."""
    deadline = asyncio.get_running_loop().time() + _TEST_PATIENCE
    points = (zone_health.LISTED_POINT, zone_health.CLEAN_POINT)
    questions = (ask(reversed_name(point) + zone.name, A, deadline) for point in points)
    listed, clean = await asyncio.gather(*questions)
    return zone_health.of_test_points(zone, listed, clean)


def _ttl(answer: Answer) -> int:
    return 0 if isinstance(answer, Failed) else answer.ttl
