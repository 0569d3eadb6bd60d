"""CORRIDOR 2: a client's environment -> what the screen says of it. Holds the order, decides nothing itself."""

import asyncio
import socket
import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import NamedTuple

from ...core import logline
from ...core.address import canonical
from ...core.dnsbl import judgement as dnsbl
from ...core.dnsbl.judgement import Listed
from ...core.settings import ScreenSettings
from ...core.smtp.verdict import EARLY, Accept, Refuse, Verdict, told
from ..stream.pregreet import talks_first
from .query import NOT_ASKED, Heard, Inquiry, Tell

#: hear(inquiry, tell): have told what a zone says of a client, at once or later.
Hear = Callable[[Inquiry, Tell], None]


class Opinion(NamedTuple):
    """What the screen says of a client, and what its zones said, one for each; None = not heard, or not in time."""

    verdict: Verdict
    heard: tuple[Heard | None, ...] = ()


async def screen(
    settings: ScreenSettings, environment: Mapping[bytes, bytes], hear: Hear, client: socket.SocketType | None
) -> Opinion:
    """What the screen says of the client that the environment describes: $RBLSMTPD's word, or else the zones'.

    client: watched for talking first, where that is asked for; None = it cannot be watched.
    """
    word = told(environment.get(b"RBLSMTPD"))
    if word:
        return Opinion(word)
    ip = _address(environment)
    if not settings.greet_seconds or client is None or b"RELAYCLIENT" in environment:
        return await interview(settings, ip, hear)
    early = asyncio.ensure_future(talks_first(client, settings.greet_seconds))
    try:
        opinion = await interview(settings, ip, hear)
        if opinion.verdict == Accept() and await early:
            return opinion._replace(verdict=EARLY)
        return opinion
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


def marks(settings: ScreenSettings, opinion: Opinion) -> dict[bytes, bytes]:
    """What -i tells the program: $RBLSMTPD where it would have been refused, the score, and the zones that list it."""
    findings = [heard and heard.finding for heard in opinion.heard]
    listing = [
        b"%s=%s" % (zone.alias, dnsbl.dotted(finding.code).encode())
        for zone, finding in zip(settings.zones, findings, strict=False)
        if isinstance(finding, Listed)
    ]
    told_of = {}
    if findings:
        told_of[b"RBLSCORE"] = b"%d" % dnsbl.score_of(settings.zones, findings)
        told_of[b"RBLZONES"] = b" ".join(listing)
    if isinstance(opinion.verdict, Refuse):
        told_of[b"RBLSMTPD"] = opinion.verdict.variable
    return told_of


def heard_line(settings: ScreenSettings, opinion: Opinion, ip: bytes, pid: int) -> bytes:
    """The log line of -v: each zone with its word and its time, then the verdict."""
    zones = [
        (zone.alias, dnsbl.word(heard.finding), heard.seconds) if heard else (zone.alias, b"pending", 0.0)
        for zone, heard in zip(settings.zones, opinion.heard, strict=True)
    ]
    verdict = opinion.verdict.reply if isinstance(opinion.verdict, Refuse) else b"accepted"
    return logline.heard(ip, pid, zones, verdict)


async def interview(settings: ScreenSettings, ip: bytes, hear: Hear) -> Opinion:
    """Ask all zones at once; stop as soon as what is there gives a verdict, unless all that they say is to be told."""
    if not settings.zones:
        return Opinion(Accept())
    said = _Interview(settings)
    deadline = time.monotonic() + settings.lookup_seconds
    for number, zone in enumerate(settings.zones):
        if said.opinion.done():
            break
        name = dnsbl.query(zone, ip, ask_private=settings.ask_private)
        if name is None:
            said.take(number, NOT_ASKED)
        else:
            hear(Inquiry(zone, ip, name, deadline), partial(said.take, number))
    return await said.opinion


class _Interview:
    """Collects what the zones say of a client; the last of them may still answer when the opinion is there."""

    def __init__(self, settings: ScreenSettings) -> None:
        self.opinion: asyncio.Future[Opinion] = asyncio.get_running_loop().create_future()
        self._settings = settings
        self._heard: list[Heard | None] = [None] * len(settings.zones)

    def take(self, number: int, heard: Heard) -> None:
        """What a zone says, by the zone's number."""
        self._heard[number] = heard
        if self.opinion.done():
            return
        verdict = dnsbl.judge(self._settings, [said and said.finding for said in self._heard])
        if verdict is not None and not (self._settings.interrogate and None in self._heard):
            self.opinion.set_result(Opinion(verdict, tuple(self._heard)))
