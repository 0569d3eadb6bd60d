"""What takes its time: clients of a gate that wait for half a minute, services that leave theirs a moment, and a zone
that is complained of.

They begin before the first test of tests/server, so that all the others run meanwhile (conftest.py there), and
test_long_waits.py looks at them.
"""

import contextlib
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from . import nameserver
from .backends.known import NotQmail, Scripted
from .gate import LOCAL, MAIL, RCPT, Gate, controls, gated
from .nameserver import NameServer, healthy, lists
from .screened import refusal, screened
from .server import Server, children
from .smtp_client import Client, shorts

EHLO = b"EHLO client.example.net"
BODY = b"Subject: x\r\n\r\nbody\r\n.\r\n"
#: The tests before may take long: nobody is left for its silence.
_SILENT = ("smtpd_timeout=1h",)


class Queue(NamedTuple):
    """The one slot of a gate: who has it, and who wants it since when (monotonic second)."""

    first: Client
    second: Client
    since: float


class Leaving(NamedTuple):
    """A service that was told to leave by a signal while a client is idle and another one is in its content.

    workers: of then. since: monotonic second of the signal.
    """

    gate: Gate
    backend: NotQmail
    sending: Client
    idle: Client
    workers: set[int]
    since: float


class Unwell(NamedTuple):
    """A service that screens by a zone that has begun to fail. name: the zone's, which is secret.

    said: what its clients have heard, two of them before.
    """

    server: Server
    dns: NameServer
    name: str
    words: Sequence[str]
    said: list[bytes]


def in_transaction(gate: Gate, source: str = LOCAL) -> Client:
    """A client with an accepted recipient."""
    client = gate.client(source)
    assert shorts(client.converse([EHLO, MAIL, RCPT]))[2] == "250"
    return client


@contextlib.contextmanager
def waiting_for_a_slot(folder: Path) -> Iterator[Queue]:
    """A client that wants the slot of another one."""
    with (
        gated(Scripted(folder / "backend").argv, folder, options=("-c", "1"), parameters=_SILENT) as gate,
        in_transaction(gate) as first,
        gate.client() as second,
    ):
        second.converse([EHLO, MAIL])
        since = time.monotonic()
        second.say(RCPT + b"\r\n")
        yield Queue(first, second, since)


@contextlib.contextmanager
def crowded(folder: Path) -> Iterator[Sequence[Client]]:
    """Idle clients in all places of a service."""
    backend = Scripted(folder / "backend")
    with gated(backend.argv, folder, options=("--held", "5")) as gate, contextlib.ExitStack() as stack:
        yield [stack.enter_context(gate.client()) for _ in range(5)]


@contextlib.contextmanager
def leaving(folder: Path, number: int) -> Iterator[Leaving]:
    """A service that gets a signal."""
    control = controls(folder / "control")
    backend = NotQmail(folder / "backend", control)
    with (
        gated(backend.argv, folder, control=control, parameters=_SILENT, variables=backend.environment) as gate,
        in_transaction(gate) as sending,
        gate.client() as idle,
    ):
        workers = set(children(gate.process.pid))
        idle.converse([EHLO])
        assert shorts(sending.converse([b"DATA"])) == ["354"]
        sending.say(BODY[:20])
        sending.wait_read()
        since = time.monotonic()
        gate.process.send_signal(number)
        yield Leaving(gate, backend, sending, idle, workers, since)


@contextlib.contextmanager
def unwell(folder: Path) -> Iterator[Unwell]:
    """A zone that fails: a complaint comes once its tests have failed for eight seconds."""
    name = "s3cret.zone"
    words = ("-v", "-r", f"dqs@{name}=127.0.0.2")
    listed = {**lists(name, "127.0.7.1", text=f"see {name}"), **lists(name, "127.0.7.2")}
    with (
        nameserver.serving({**healthy(name), **listed}, folder) as dns,
        screened(words, dns.address, folder, options=("-v",)) as server,
    ):
        said = [refusal(server, "127.0.7.1"), refusal(server, "127.0.7.2")]
        dns.tell({f"*.{name} A": "servfail"})
        said += [server.talk(source=f"127.0.8.{number}") for number in range(1, 9)]
        yield Unwell(server, dns, name, words, said)
