"""A client's session with whoever speaks SMTP for the service: the real gate, or the dialogue of a refused client."""

import asyncio
import errno
import socket
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from ...core.dns.message import Ask
from ...core.errors import Failure, error_words
from ...core.explain.question import QUIT, Asked, changes, commands, content, told
from ...core.explain.steps import Step, Told
from ...core.explain.trace import Trace, Tracer
from ...core.explain.words import client_text, log_text
from ...core.gate.settings import GateSettings
from ...core.smtp.refusal import RefusalDialogue
from ...core.smtp.verdict import Refuse
from ...core.text import shown
from ...core.tls.facts import TlsFacts
from ..dnsbl.query import ask_zone
from ..gate.gate import Client as GateClient
from ..gate.gate import Gate, check
from ..gate.lists.lookups import Ways
from ..gate.session import Alone, Hold
from ..gate.trust import NOBODY, Trust
from ..report.log import ERRORS, Log
from .program import StandIn
from .triplets import Looking

if TYPE_CHECKING:
    from ..gate.milter.chosen import MakeClient

#: What nobody is asked about.
_SOME_TLS = TlsFacts(b"TLSv1.3", b"TLS_AES_256_GCM_SHA384", 256)
#: Bytes of a reply's line that are read.
_LINE = 1 << 16
#: How the gate says what is wrong with a file.
_WARNING = "smtpgate: warning: "
#: The line about a session, which may come before its client has read the last reply.
_OF_END = "smtpgate: disconnect from "


class Visit(NamedTuple):
    """A client behind the screens. name: from DNS. refusal: of a screen, whose name in log lines is ``screen``."""

    asked: Asked
    name: bytes | None
    environment: dict[bytes, bytes]
    refusal: Refuse | None
    screen: bytes


def refused(visit: Visit, refusal: Refuse, seconds: int) -> list[Step]:
    """Tell what a refused client hears without a gate. seconds: that it is talked to; 0 = it only gets the refusal."""
    dialogue = RefusalDialogue(refusal)
    if not seconds:
        return [_step("(connected)", dialogue.dismissal())]
    steps = [_step("(connected)", dialogue.greeting())]
    steps += [_step(shown(line), dialogue.receive(line + b"\r\n")) for line in commands(visit.asked, visit.name)]
    return steps


def _step(what: str, replies: bytes) -> Step:
    return Step(what, reply=tuple(map(shown, replies.splitlines())))


async def at_gate(settings: GateSettings, visit: Visit, ask: Ask) -> tuple[list[Step], StandIn]:
    """Have the gate speak with the client -> what it hears, and what came to the program.

    Raises Failure where control files fail, and where we may not read what the server may.
    """
    ours, theirs = socket.socketpair()
    program, said = StandIn(), _Said()
    log = Log(ERRORS, said.write)
    check(settings, log)
    settings, unasked = _without_milters(settings, visit.asked, ask)
    ways = _ways(settings, ask, said)
    gate = Gate(settings, log, lambda: False, lambda: ways, _trust(settings, visit.asked))
    await gate.open()
    begun = said.warnings()
    alone = Hold(Alone())
    tls = _SOME_TLS if settings.tls and settings.tls.is_required else None
    ours.setblocking(False)
    with theirs:
        client = GateClient(theirs, visit.environment, visit.refusal, visit.screen, program.start, alone, tls=tls)
        talking = asyncio.ensure_future(gate.talk(client))
        reader, writer = await asyncio.open_connection(sock=ours, limit=_LINE)
        try:
            steps = [said.step(what, reply) async for what, reply in _spoken(visit, reader, writer)]
            if program.content is not None:
                changed = changes(visit.asked.message, program.content)
                steps[-1] = steps[-1]._replace(found=(*steps[-1].found, *changed))
        finally:
            writer.close()
            await talking
            await program.close()
            await gate.close()
    begun += [Step("TLS", found=("taken as begun: the gate requires it",))] if tls else []
    return [*unasked, *begun, *steps, *said.end()], program


def _ways(settings: GateSettings, ask: Ask, said: "_Said") -> Ways:
    """What lists ask, watched; milters are, too."""
    judge, triplets = Tracer(said.traces.append).judge, _triplets(settings)
    milter = _watched(said.milters.append) if settings.milters else None
    return Ways(ask, partial(ask_zone, ask), judge, asks_services=False, triplets=triplets, milter=milter)


def _without_milters(settings: GateSettings, asked: Asked, ask: Ask) -> tuple[GateSettings, list[Step]]:
    """Ask milters only where a message is given: they note who comes, and judge others by that."""
    if settings.milters is None or asked.message is not None:
        return settings, []
    from ..gate.milter.chosen import ChosenMilters

    milters = [client.milter for client in ChosenMilters(settings.milters, ask, _quiet).of(asked.ip)]
    found = tuple(f"{one}: is not asked: it would note this client; --message has it asked" for one in milters)
    return replace(settings, milters=None), [Step("milters", found=found)] if found else []


def _quiet(_sentence: str) -> None:
    """What is wrong with a table the gate's own start has said."""


def _watched(take: Callable[[Told], None]) -> "MakeClient":
    from .milters import WatchedMilter

    return partial(WatchedMilter, take)


def _triplets(settings: GateSettings) -> Looking | None:
    lists = settings.restrictions
    return Looking(lists.greylist.store) if lists and lists.greylist else None


def _trust(settings: GateSettings, asked: Asked) -> Trust:
    """A client that is to have logged in does so, where the gate takes logins of it."""
    if asked.login is None or settings.logins is None:
        return NOBODY
    from .believing import Believing

    return Trust(logins=Believing(settings.logins))


async def _spoken(
    visit: Visit, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> AsyncIterator[tuple[str, list[bytes]]]:
    """Yield each command with its reply, up to the end of the message or the refusal that ends all."""
    asked = visit.asked
    reply = await _heard(reader)
    yield "(connected)", reply
    goes_on, is_taken = _is_positive(reply), False
    for line in commands(asked, visit.name):
        if not goes_on:
            break
        writer.write(line + b"\r\n")
        reply = await _heard(reader)
        yield told(line, asked), reply
        is_recipient = line.startswith(b"RCPT")
        is_taken = is_taken or (is_recipient and _is_positive(reply))
        goes_on = _is_positive(reply) or (is_recipient and reply != [] and not reply[0].startswith(b"421"))
    if goes_on and is_taken:
        writer.write(b"DATA\r\n")
        reply = await _heard(reader)
        yield "DATA", reply
    if reply and reply[0].startswith(b"354"):
        writer.write(content(asked.message))
        size = "an empty one" if asked.message is None else f"{len(asked.message)} bytes"
        yield f"(the message, {size})", await _heard(reader)
    writer.write(QUIT + b"\r\n")


async def _heard(reader: asyncio.StreamReader) -> list[bytes]:
    """Read one reply -> its lines; [] = the connection is closed."""
    lines = []
    while line := await reader.readline():
        lines.append(line.rstrip(b"\r\n"))
        if line[3:4] != b"-":
            break
    return lines


def _is_positive(reply: list[bytes]) -> bool:
    return bool(reply) and reply[0].startswith(b"2")


class _Said:
    """What the gate has said to its log, and how lists and milters have judged, since the last command."""

    def __init__(self) -> None:
        self.traces: list[Trace] = []
        self.milters: list[Told] = []
        self._lines: list[bytes] = []
        self._last: list[str] = []

    def write(self, data: bytes) -> int:
        """Take lines of the log."""
        self._lines += data.splitlines()
        return len(data)

    def end(self) -> list[Step]:
        """Make the step of what is said of the session as a whole; none where nothing is."""
        lines = (*self._last, *map(log_text, self._lines))
        return [Step("(the end)", log=lines)] if lines else []

    def warnings(self) -> list[Step]:
        """Make the step of what the server says of its files when it starts; none where all is well."""
        return [self.step("what the gate reads", [])] if self._lines else []

    def step(self, what: str, reply: list[bytes]) -> Step:
        """Make the step of a command that was answered. Raises Failure."""
        lines = tuple(map(log_text, self._lines))
        for line in lines:
            if line.startswith(_WARNING) and error_words(errno.EACCES) in line:
                raise Failure(line.removeprefix(_WARNING))
        found = [client_text(trace.facts) for trace in self.traces[:1]]
        found += [f"waits for {trace.pause} seconds" for trace in self.traces if trace.pause]
        if self.traces and reply and reply[0][:1] in (b"4", b"5") and not self._is_explained():
            found.append("no list refuses it, the gate itself does: its last check, or a screen or milter before it")
        judged = tuple(one for trace in self.traces for one in trace.judged)
        log = tuple(line for line in lines if not line.startswith(_OF_END))
        self._last += [line for line in lines if line.startswith(_OF_END)]
        milters = tuple(self.milters)
        for seen in (self.traces, self.milters, self._lines):
            seen.clear()
        return Step(what, tuple(found), judged, milters, tuple(map(shown, reply)), log)

    def _is_explained(self) -> bool:
        """Whether it is told who refuses."""
        return any(trace.refuses for trace in self.traces) or any(told.refuses for told in self.milters)
