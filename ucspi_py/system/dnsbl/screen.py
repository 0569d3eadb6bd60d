"""CORRIDOR 2: a client's environment -> what the screen says of it. Holds the order, decides nothing itself."""

import asyncio
import socket
import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import NamedTuple

from ...core.address import canonical
from ...core.dnsbl import answers, judgement, loglines
from ...core.dnsbl.answers import Listed
from ...core.dnsbl.settings import DnsblSettings
from ...core.smtp.verdict import EARLY, Accept, Refuse, Verdict, told
from ..stream.pregreet import talks_first
from .query import NOT_ASKED, Callback, Query, Result

#: hear(inquiry, tell): have told what a zone says of a client, at once or later.
AskZone = Callable[[Query, Callback], None]


class ScreenResult(NamedTuple):
    """What the screen says of a client, and what its zones said, one for each; None = not heard, or not in time."""

    verdict: Verdict
    results: tuple[Result | None, ...] = ()


async def screen(
    settings: DnsblSettings, environment: Mapping[bytes, bytes], ask_zone: AskZone, client: socket.SocketType | None
) -> ScreenResult:
    """What the screen says of the client that the environment describes: $RBLSMTPD's word, or else the zones'.

    client: watched for talking first, where that is asked for; None = it cannot be watched.
    """
    word = told(environment.get(b"RBLSMTPD"))
    if word:
        return ScreenResult(word)
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
    """$TCPREMOTEIP; under another server an IPv4 client may be told as ::ffff:192.0.2.7."""
    ip = environment.get(b"TCPREMOTEIP", b"")
    try:
        return canonical(ip.decode("ascii"))
    except ValueError:
        return ip


def marks(settings: DnsblSettings, screened: ScreenResult) -> dict[bytes, bytes]:
    """What -i tells the program: $RBLSMTPD where it would have been refused, the score, and the zones that list it."""
    findings = [result and result.finding for result in screened.results]
    listing = [
        b"%s=%s" % (zone.alias, answers.dotted(finding.code).encode())
        for zone, finding in zip(settings.zones, findings, strict=False)
        if isinstance(finding, Listed)
    ]
    told_of = {}
    if findings:
        told_of[b"RBLSCORE"] = b"%d" % judgement.score_of(settings.zones, findings)
        told_of[b"RBLZONES"] = b" ".join(listing)
    if isinstance(screened.verdict, Refuse):
        told_of[b"RBLSMTPD"] = screened.verdict.variable
    return told_of


def results_line(settings: DnsblSettings, screened: ScreenResult, ip: bytes, pid: int) -> bytes:
    """The log line of -v: each zone with its word and its time, then the verdict."""
    zones = [
        (zone.alias, answers.word(result.finding), result.seconds) if result else (zone.alias, b"pending", 0.0)
        for zone, result in zip(settings.zones, screened.results, strict=True)
    ]
    verdict = screened.verdict.reply if isinstance(screened.verdict, Refuse) else b"accepted"
    return loglines.zone_results(ip, pid, zones, verdict)


async def query_all(settings: DnsblSettings, ip: bytes, ask_zone: AskZone) -> ScreenResult:
    """Ask all zones at once; stop as soon as what is there gives a verdict, unless all that they say is to be told."""
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
        """Add what the zone of this number says."""
        self._results[number] = result
        if self.screened.done():
            return
        verdict = judgement.judge(self._settings, [one and one.finding for one in self._results])
        if verdict is not None and not (self._settings.interrogate and None in self._results):
            self.screened.set_result(ScreenResult(verdict, tuple(self._results)))
