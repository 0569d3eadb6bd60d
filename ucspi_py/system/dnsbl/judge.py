"""CORRIDOR 2: a client's environment -> what its zones say of it. Holds the order, decides nothing itself."""

import asyncio
import os
import socket
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from ...core.address import canonical
from ...core.dnsbl import answers, judgement
from ...core.dnsbl.answers import NOT_ASKED, Result
from ...core.dnsbl.outcome import ScreenResult, outcome
from ...core.dnsbl.settings import DnsblSettings
from ...core.smtp.verdict import EARLY, Accept, Outcome
from ..stream.pregreet import talks_first
from .query import Callback, Query

#: ask_zone(query, callback): the callback gets what a zone says of a client, at once or later.
AskZone = Callable[[Query, Callback], None]


class Zones(Protocol):
    """The way to the zones."""

    def ask_zone(self, inquiry: Query, callback: Callback) -> None:
        """Query a zone about a client; the callback gets the result, at once or later."""

    def note_result(self, settings: DnsblSettings, screened: ScreenResult) -> None:
        """Take note of what all zones of a screen have said of a client."""


@dataclass(frozen=True, slots=True)
class DnsblJudge:
    """rblsmtpd, where zones are to be asked or the client is to be watched."""

    settings: DnsblSettings
    zones: Zones

    async def open(self) -> None:
        """Do nothing: zones are asked when a client comes."""

    async def judge(self, environment: Mapping[bytes, bytes], client: socket.SocketType | None, /) -> Outcome:
        """Ask the zones about the client, and watch it where that is asked for. client: None = it cannot be watched."""
        screened = await query_and_watch(self.settings, environment, self.zones.ask_zone, client)
        self.zones.note_result(self.settings, screened)
        return outcome(self.settings, environment, screened, os.getpid())

    async def close(self) -> None:
        """Do nothing: the way to the zones is the host's."""


async def query_and_watch(
    settings: DnsblSettings, environment: Mapping[bytes, bytes], ask_zone: AskZone, client: socket.SocketType | None
) -> ScreenResult:
    """Ask the zones about the client that the environment describes.

    client: watched for talking first, where that is asked for; None = it cannot be watched.
    """
    ip = _address(environment)
    if not settings.greet_seconds or client is None or b"RELAYCLIENT" in environment:
        return await query_all(settings, ip, ask_zone)
    early = asyncio.ensure_future(talks_first(client, settings.greet_seconds))
    try:
        screened = await query_all(settings, ip, ask_zone)
        if screened.verdict == Accept() and await early:
            return screened._replace(verdict=EARLY)
        return screened
    finally:
        early.cancel()
        # Whoever has the client next must find it unwatched: it may be closed, or read from, before we run again.
        await asyncio.wait([early])


def _address(environment: Mapping[bytes, bytes]) -> bytes:
    """Read $TCPREMOTEIP; under another server it may be ::ffff:192.0.2.7 for an IPv4 client."""
    ip = environment.get(b"TCPREMOTEIP", b"")
    try:
        return canonical(ip.decode("ascii"))
    except ValueError:
        return ip


async def query_all(settings: DnsblSettings, ip: bytes, ask_zone: AskZone) -> ScreenResult:
    """Query all zones at once; stop as soon as the results give a verdict, unless all results are wanted (-i)."""
    if not settings.zones:
        return ScreenResult(Accept())
    collector = _Collector(settings)
    deadline = time.monotonic() + settings.lookup_seconds
    for number, zone in enumerate(settings.zones):
        if collector.screened.done():
            break
        name = answers.query(zone, ip, ask_private=settings.ask_private)
        if name is None:
            collector.add(number, NOT_ASKED)
        else:
            ask_zone(Query(zone, ip, name, deadline), partial(collector.add, number))
    return await collector.screened


class _Collector:
    """Collects what the zones say of a client; the last of them may still answer when the verdict is there."""

    def __init__(self, settings: DnsblSettings) -> None:
        self.screened: asyncio.Future[ScreenResult] = asyncio.get_running_loop().create_future()
        self._settings = settings
        self._results: list[Result | None] = [None] * len(settings.zones)

    def add(self, number: int, result: Result) -> None:
        """Add the result of the zone of this number."""
        self._results[number] = result
        if self.screened.done():
            return
        verdict = judgement.judge(self._settings, [one and one.finding for one in self._results])
        if verdict is not None and not (self._settings.interrogate and None in self._results):
            self.screened.set_result(ScreenResult(verdict, tuple(self._results)))
