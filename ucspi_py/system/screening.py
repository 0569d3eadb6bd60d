"""CORRIDOR 2: a client's environment -> let through, or hold the refusal. Holds the order, decides nothing itself."""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Mapping
from typing import NamedTuple

from ..core import dnsbl, logline
from ..core.address import canonical
from ..core.dnsbl import Listed
from ..core.settings import ScreenSettings
from ..core.smtp_refusal import RefusalDialogue
from ..core.verdict import EARLY, Accept, Refuse, Verdict, told
from ..core.zone import Zone
from .greeting import talks_first
from .zone_asking import Heard

#: hear(zone, address, deadline, ask_private): what a zone says of a client.
Hear = Callable[[Zone, bytes, float, bool], Awaitable[Heard]]


class Opinion(NamedTuple):
    """What the screen says of a client, and what its zones said, one for each; None = not heard, or not in time."""

    verdict: Verdict
    heard: tuple[Heard | None, ...] = ()


async def screen(
    settings: ScreenSettings, environment: Mapping[bytes, bytes], hear: Hear, client: socket.socket | None
) -> Opinion:
    """What the screen says of the client that the environment describes: $RBLSMTPD's word, or else the zones'.

    client: watched for talking first, where that is asked for; None = it cannot be watched.
    """
    word = told(environment.get(b"RBLSMTPD"))
    if word:
        return Opinion(word)
    ip = _address(environment)
    if not settings.greet_seconds or client is None or b"RELAYCLIENT" in environment:
        return await _interview(settings, ip, hear)
    early = asyncio.ensure_future(talks_first(client, settings.greet_seconds))
    try:
        opinion = await _interview(settings, ip, hear)
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


async def hold(client: socket.socket, refusal: Refuse, session_seconds: int) -> RefusalDialogue:
    """Talk to a refused client until it quits, hangs up or its time is over; 0 seconds: only the refusal (-t 0)."""
    loop = asyncio.get_running_loop()
    dialogue = RefusalDialogue(refusal)
    client.setblocking(False)
    alarm = loop.call_later(session_seconds or 1, _hang_up, client)
    try:
        if not session_seconds:
            await _say(loop, client, dialogue.reply)
            return dialogue
        await _say(loop, client, dialogue.greeting())
        while not dialogue.finished and (data := await loop.sock_recv(client, 4096)):
            await _say(loop, client, dialogue.receive(data))
    except OSError:
        pass
    finally:
        alarm.cancel()
    return dialogue


async def _say(loop: asyncio.AbstractEventLoop, client: socket.socket, words: bytes) -> None:
    """Send it all; mostly there is room for it, and then the loop is not troubled."""
    try:
        words = words[client.send(words) :]
    except BlockingIOError:
        pass
    if words:
        await loop.sock_sendall(client, words)


def _hang_up(client: socket.socket) -> None:
    """End the conversation from outside: whoever waits for the client finds it gone."""
    try:
        client.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass


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


async def _interview(settings: ScreenSettings, ip: bytes, hear: Hear) -> Opinion:
    """Ask all zones at once; stop as soon as what is there gives a verdict, unless all that they say is to be told."""
    if not settings.zones:
        return Opinion(Accept())
    deadline = asyncio.get_running_loop().time() + settings.lookup_seconds
    asking = [asyncio.ensure_future(hear(zone, ip, deadline, settings.ask_private)) for zone in settings.zones]
    try:
        while True:
            heard = tuple(task.result() if task.done() else None for task in asking)
            verdict = dnsbl.judge(settings, [said and said.finding for said in heard])
            if verdict is not None and not (settings.interrogate and None in heard):
                return Opinion(verdict, heard)
            await asyncio.wait([task for task in asking if not task.done()], return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in asking:
            task.cancel()
