"""Postfix and our gate with the same milter, by chance: clients hear the same, and the same arrives to the same people.

Behind both stands a program that keeps what it takes.
"""

import os
import random
import re
import socket
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.support.backends.known import Message, NotQmail
from tests.support.gate import Gate
from tests.support.milter import ScriptedMilter, scripted_milter
from tests.support.smtp_client import Client, Content, Step
from tests.support.waiting import PATIENCE, until

from . import changes, postfix
from .sinks import MAIN, OURS, SMTP, kept_by

MESSAGES = int(os.environ.get("PEERS_MILTERS", "200"))
SEED = int(os.environ.get("PEERS_SEED", "0"))
_GONE = re.compile(rb": removed\n|: milter-discard: ")
_OWN_RECEIVED = re.compile(
    rb"(?m)^Received: from [^\n]*\n[ \t]+by mx\.example\.org \(Postfix\)[^\n]*\n(?:[ \t][^\n]*\n)*"
)


class Peers(NamedTuple):
    """Both servers with the same milters. keeps_theirs, keeps_ours: what they take arrives there."""

    milter: ScriptedMilter
    theirs: int
    their_log: Path
    ours: Gate
    keeps_theirs: NotQmail
    keeps_ours: NotQmail


@pytest.fixture(scope="module")
def peers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Peers]]:
    """Both with a milter, and with the same one twice."""
    folder = tmp_path_factory.mktemp("changes")
    with ExitStack() as stack:
        milter = stack.enter_context(scripted_milter())
        asked = {
            name: f"smtpd_milters={milter.service}{more}" for name, more in (("one", ""), ("two", f",{milter.service}"))
        }
        sink, behind = kept_by(stack, folder / "sink", (), me="sink.example")
        profiles = {name: (*OURS[:2], words) for name, words in asked.items()}
        main = postfix.PLAIN + MAIN.format(port=behind.port)
        running = stack.enter_context(postfix.running(profiles, main=main, master=SMTP))
        found = []
        for name, words in asked.items():
            backend, gate = kept_by(stack, folder / name, (words,))
            found.append(Peers(milter, running.ports[name], running.log, gate, sink, backend))
        yield found


@pytest.mark.parametrize("seed", range(MESSAGES))
def test_the_same_arrives(peers: list[Peers], seed: int) -> None:
    """The same replies, envelope, headers and body, whatever the milter hears, and says at each stage."""
    draw, pair = random.Random(SEED * 1_000_000 + seed), peers[seed % 2]
    pair.milter.says, pair.milter.unanswered = changes.milter(draw)
    steps = _steps(draw)
    told = f"{pair.milter.says} {pair.milter.unanswered} {steps}"
    mark, counts = pair.their_log.stat().st_size, [len(one.messages()) for one in (pair.keeps_theirs, pair.keeps_ours)]

    theirs, ours = _heard(pair.theirs, steps), _heard(pair.ours.port, steps)

    assert ours == theirs, f"{told} {pair.ours.log()[-500:]!r}"
    if theirs[-2:-1] == [b"250"] and b"354" in theirs:
        until(lambda: _GONE.search(_since(pair.their_log, mark)), "the end of the message behind Postfix")
    kept = [_without_received(one) for one in pair.keeps_theirs.messages()[counts[0] :]]
    assert [_sorted(one) for one in pair.keeps_ours.messages()[counts[1] :]] == kept, told


def _steps(draw: random.Random) -> Sequence[Step]:
    sender, content = draw.choice(changes.SENDERS), changes.message(draw)
    recipients = (b"RCPT TO:" + address for address in changes.recipients(draw))
    return (b"EHLO mx.far.example", b"MAIL FROM:" + sender, *recipients, b"DATA", Content(content + b".\r\n"), b"QUIT")


def _heard(port: int, steps: Sequence[Step]) -> list[bytes]:
    """What is said to each step: the code, of a refusal the words."""
    with Client(socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)) as client:
        heard = [client.reply(), *client.converse(steps)]
    return [reply if reply[:1] in b"45" else reply[:3] for reply in heard]


def _without_received(message: Message) -> Message:
    """As it was before Postfix had put its own line into it."""
    return _sorted(message._replace(text=_OWN_RECEIVED.sub(b"", message.text, count=1)))


def _sorted(message: Message) -> Message:
    """With recipients in one order, each once: Postfix has one twice that the client has named and a milter adds."""
    once = {address.replace(b"@OURS.", b"@ours.") for address in message.recipients}
    return message._replace(recipients=tuple(sorted(once)))


def _since(log: Path, mark: int) -> bytes:
    return log.read_bytes()[mark:]
