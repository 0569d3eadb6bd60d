"""CORRIDOR 2: a client's environment -> let through, or hold the refusal. Holds the order, decides nothing itself."""

import asyncio
import socket
from collections.abc import Mapping

from ..core import dnsbl
from ..core.dns_message import Answer, Ask
from ..core.settings import ScreenSettings
from ..core.smtp_refusal import RefusalDialogue
from ..core.verdict import Accept, Refuse, Verdict, told


async def screen(settings: ScreenSettings, environment: Mapping[bytes, bytes], ask: Ask) -> Verdict:
    """What the screen says of the client that the environment describes: $RBLSMTPD's word, or else the zones'."""
    return told(environment.get(b"RBLSMTPD")) or await _interview(settings, environment.get(b"TCPREMOTEIP", b""), ask)


async def hold(client: socket.socket, refusal: Refuse, session_seconds: int) -> None:
    """Talk to a refused client until it quits, hangs up or its time is over; 0 seconds: only the refusal (-t 0)."""
    loop = asyncio.get_running_loop()
    dialogue = RefusalDialogue(refusal)
    client.setblocking(False)
    try:
        async with asyncio.timeout(session_seconds or 1):
            if not session_seconds:
                await loop.sock_sendall(client, dialogue.reply)
                return
            await loop.sock_sendall(client, dialogue.greeting())
            while not dialogue.finished and (data := await loop.sock_recv(client, 4096)):
                await loop.sock_sendall(client, dialogue.receive(data))
    except (OSError, TimeoutError):
        pass


async def _interview(settings: ScreenSettings, ip: bytes, ask: Ask) -> Verdict:
    """Ask all zones at once; stop as soon as the answers that are there give a verdict."""
    deadline = asyncio.get_running_loop().time() + settings.lookup_seconds
    queries = [query for zone in settings.zones if (query := dnsbl.query(zone, ip))]
    if not queries:
        return Accept()
    asking = [asyncio.ensure_future(ask(name, kind, deadline)) for name, kind in queries]
    try:
        while (verdict := dnsbl.judge(settings.zones, [_so_far(task) for task in asking])) is None:
            await asyncio.wait([task for task in asking if not task.done()], return_when=asyncio.FIRST_COMPLETED)
        return verdict
    finally:
        for task in asking:
            task.cancel()


def _so_far(task: asyncio.Future[Answer]) -> Answer | None:
    return task.result() if task.done() else None
