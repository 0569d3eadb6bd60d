"""Postfix's smtpd and our gate, the same dialogues: the same reply codes and enhanced codes, verb by verb.

Where the gate answers otherwise on purpose, DELIBERATE says why; there both replies are held to what stands there.
"""

import os
import re
import socket
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.support.gate import Gate, gated
from tests.support.smtp_client import Client, Content, Manner, Step, short
from tests.support.waiting import PATIENCE

from . import postfix
from .backend import BACKEND
from .dialogues import PROFILES, Dialogue, by_chance, written

#: How many by chance, and which of the written ones: each fifth has each verb in some state.
SEEDS = range(int(os.environ.get("PEERS_DIALOGUES", "200")))
WRITTEN = list(written())[:: int(os.environ.get("PEERS_EACH", "1"))]


class Deliberate(NamedTuple):
    """A difference that we mean. command: what was said, as an expression. replies: theirs and ours, as expressions."""

    command: bytes
    theirs: str
    ours: str
    why: str


DELIBERATE = [
    Deliberate(rb"HELP", "500 5.5.2", "214 2.0.0", "RFC 5321, 4.5.1 wants HELP"),
    Deliberate(rb"(EXPN|TURN).*", "500 5.5.2", "502 5.5.1", "known, and never done (RFC 5321, 4.2.4)"),
    Deliberate(rb"ETRN.*", "(459|503).*", "502 5.5.1", "there is no queue of ours to flush"),
    Deliberate(rb"X(CLIENT|FORWARD).*", "(550 5.7.0|503 5.5.1)", "502 5.5.1", "nobody may, so nobody is told who may"),
    Deliberate(rb"VRFY .*", "554 5.7.1", "252 2.0.0", "tells nothing, also not whose domain it is"),
    Deliberate(rb"MAIL.* AUTH=<>", "250 2.1.0", "555 5.5.4", "taken where AUTH is announced (RFC 4954, 5)"),
    Deliberate(rb"MAIL.* SIZE=1 SIZE=2", "250 2.1.0", "501 5.5.4", "said twice, meant once: which?"),
    Deliberate(rb"(MAIL|RCPT).* (RET|NOTIFY)=.*", "501 5.7.1", "555 5.5.4", "not announced (RFC 5321, 4.1.1.11)"),
    Deliberate(rb"MAIL FROM:<s@@d.example>", "250 2.1.0", "501 5.1.7", "no mailbox (RFC 5321, 4.1.2)"),
    Deliberate(rb"MAIL FROM:<@example.net>", "250 2.1.0", "501 5.1.7", "no mailbox (RFC 5321, 4.1.2)"),
    Deliberate(rb"MAIL FROM:s@example.net>", "250 2.1.0", "501 5.1.7", "half a bracket is read in two ways"),
    Deliberate(
        rb".*[\x80-\xff].*", "(250 2.1.[05]|452 4.5.3)", "(553 5.6.7|501 5.1.[37])", "wants SMTPUTF8 (RFC 6531, 3.1)"
    ),
    Deliberate(rb"RCPT.*elsewhere.*@example.org>", "554 5.7.1", "250 2.1.5", "the backend is to route, if allowed"),
    Deliberate(rb"NOOP x{600,}", "250 2.0.0", "500 5.5.2", "what was cut is not obeyed"),
]


_met: set[Deliberate] = set()


class Pair(NamedTuple):
    """Both servers of a profile."""

    theirs: int
    ours: int


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, Pair]]:
    """Both servers, for each profile."""
    folder = tmp_path_factory.mktemp("peers")
    with postfix.running(PROFILES) as theirs, ExitStack() as stack:
        gates = {name: stack.enter_context(_gate(folder / name.replace(" ", "-"), name)) for name in PROFILES}
        yield {name: Pair(theirs.ports[name], gates[name].port) for name in PROFILES}


def _gate(folder: Path, profile: str) -> AbstractContextManager[Gate]:
    parameters = ("mynetworks=192.0.2.0/24", "smtpd_error_sleep_time=0", *PROFILES[profile])
    return gated(("sh", "-c", BACKEND), folder, parameters=parameters, rules=":allow\n")


@pytest.mark.parametrize("manner", [Manner.STEPS, Manner.SEGMENT], ids=lambda manner: manner.value)
@pytest.mark.parametrize("dialogue", WRITTEN, ids=lambda dialogue: dialogue.name)
def test_written(pairs: Mapping[str, Pair], dialogue: Dialogue, manner: Manner) -> None:
    """Those that somebody has thought of."""
    compare(pairs, dialogue, manner)


@pytest.mark.parametrize("seed", SEEDS)
def test_by_chance(pairs: Mapping[str, Pair], seed: int) -> None:
    """Those that nobody has thought of."""
    compare(pairs, by_chance(seed), Manner.SEGMENT if seed % 2 else Manner.STEPS)


@pytest.mark.skipif(len(WRITTEN) < len(list(written())), reason="only a part was said")
def test_every_difference_is_real() -> None:
    """What stands in DELIBERATE was met above."""
    assert [one for one in DELIBERATE if one not in _met] == []


def compare(pairs: Mapping[str, Pair], dialogue: Dialogue, manner: Manner) -> None:
    """Say it to both. From a deliberate difference on, that changes the state, nothing more is compared."""
    theirs, ours = (heard(port, dialogue, manner) for port in pairs[dialogue.profile])
    commands = [*_said(dialogue.steps, theirs), *dialogue.blast.splitlines(), *[b"behind the last"] * 3]
    for place in range(max(len(theirs), len(ours))):
        command = commands[place]
        found = tuple(replies[place] if place < len(replies) else "closed" for replies in (theirs, ours))
        meant = next((one for one in DELIBERATE if re.fullmatch(one.command, command, re.IGNORECASE | re.DOTALL)
                      and re.fullmatch(one.theirs, found[0]) and re.fullmatch(one.ours, found[1])), None)  # fmt: skip
        if meant is None:
            assert found[0] == found[1], f"{command!r}: Postfix {found[0]}, ours {found[1]}; {theirs} {ours}"
        else:
            _met.add(meant)
            if found[0][:1] != found[1][:1]:
                return


def heard(port: int, dialogue: Dialogue, manner: Manner) -> list[str]:
    """Code and enhanced code of each reply; of HELO and EHLO the code alone."""
    with Client(socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)) as client:
        assert short(client.reply())[:3] == "220"
        replies = client.converse(dialogue.steps, manner)
        if dialogue.blast:
            client.say(dialogue.blast)
            replies += client.finish()
    return list(map(short, replies))


def _said(steps: Sequence[Step], replies: Sequence[str]) -> Iterator[bytes]:
    """Yield what the replies are to: content is not sent behind another reply than 354."""
    begun = False
    place = 0
    for step in steps:
        if begun or not isinstance(step, Content):
            yield step if isinstance(step, bytes) else step.data
            begun = replies[place : place + 1] == ["354"]
            place += 1
