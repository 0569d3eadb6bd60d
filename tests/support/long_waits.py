"""What takes its time at a gate: clients that wait for half a minute, and services that leave theirs a moment.

They begin before the first test of tests/server, so that all the others run meanwhile (conftest.py there), and
test_long_waits.py looks at them.
"""

import contextlib
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from .backends.known import NotQmail, Scripted
from .gate import LOCAL, MAIL, RCPT, Gate, controls, gated
from .server import children
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
