"""One zone asked about one client: A first, TXT only where it is needed. Never remembers and never judges."""

import asyncio
import time
from collections.abc import Callable
from typing import NamedTuple

from ...core.address import reversed_name
from ...core.dns.message import TXT, A, Answer, Ask, Failed
from ...core.dnsbl import answers
from ...core.dnsbl import health as zone_health
from ...core.dnsbl.answers import Finding, Result
from ...core.dnsbl.health import Health
from ...core.dnsbl.zone import Zone
from ..lookup.futures import answer_to
from ..lookup.query_ids import random_number

#: Seconds that a test of a zone may take.
_TEST_PATIENCE = 5.0


class Query(NamedTuple):
    """A query of a zone about a client. name: the DNS name. deadline: monotonic second, by which there is a result."""

    zone: Zone
    ip: bytes
    name: bytes
    deadline: float


#: Gets what was heard, once; at once where nobody has to be asked.
Callback = Callable[[Result], None]


def ask_zone(ask: Ask, inquiry: Query, callback: Callback) -> None:
    """Ask a zone about a client."""
    _Hearing(ask, inquiry, callback)


class _Hearing:
    """A question, and the one that may follow from its answer. Callbacks: a task for each zone costs twice as much."""

    __slots__ = ("_address", "_ask", "_callback", "_inquiry", "_start")

    def __init__(self, ask: Ask, inquiry: Query, callback: Callback) -> None:
        self._ask = ask
        self._inquiry = inquiry
        self._callback = callback
        self._start = time.monotonic()
        ask(inquiry.name, A, inquiry.deadline, self._on_address)

    def _on_address(self, address: Answer) -> None:
        self._address = address
        finding = answers.after_address(self._inquiry.zone, address)
        if finding is None:
            self._ask(self._inquiry.name, TXT, self._inquiry.deadline, self._on_text)
        else:
            self._conclude(finding, _ttl(address))

    def _on_text(self, text: Answer) -> None:
        finding = answers.after_text(self._inquiry.zone, self._inquiry.ip, self._address, text)
        self._conclude(finding, min(_ttl(self._address), _ttl(text)))

    def _conclude(self, finding: Finding, ttl: int) -> None:
        self._callback(Result(finding, time.monotonic() - self._start, ttl))


async def examine(ask: Ask, zone: Zone, patience: float = _TEST_PATIENCE) -> Health:
    """Test a zone: ask it about its test points and about an address that no client has. patience: seconds for that."""
    deadline = time.monotonic() + patience
    control = zone_health.control_address(random_number())
    names = (reversed_name(ip) + zone.name for ip in zone_health.addresses(zone, control))
    answers = await asyncio.gather(*(answer_to(ask, name, A, deadline) for name in names))
    return zone_health.of_answers(zone, control, answers)


def _ttl(answer: Answer) -> int:
    return 0 if isinstance(answer, Failed) else answer.ttl
