"""Postfix's cleanup and our gate with the same header and body checks: the same arrives, and the same is said.

Behind both stands a program that keeps what it takes; behind Postfix by way of a gate without checks.
"""

import os
import random
import re
import socket
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.support.backends.known import NotQmail
from tests.support.gate import Gate
from tests.support.smtp_client import Client, Content, Step
from tests.support.waiting import PATIENCE, until

from . import contents, postfix
from .sinks import MAIN, OURS, SMTP, kept_by

#: How many messages by chance, and how many servers with tables by chance get them.
MESSAGES = int(os.environ.get("PEERS_CONTENTS", "200"))
SERVERS = 10
SEED = int(os.environ.get("PEERS_SEED", "0"))
#: What Postfix's line has behind its queue file, and ours behind NOQUEUE.
_NOTED = re.compile(rb"(?:[0-9A-F]{6,}|NOQUEUE): ((?:reject|warning|info|discard|pass|strip|prepend|replace): \w.*)")
#: Bytes of a line that are compared; what a table says is cut behind them by each in its way.
_COMPARED = 600
#: Bytes of a reply: Postfix's may be longer than RFC 5321 allows.
_OF_REPLY = 510
_OWN_RECEIVED = re.compile(rb"(?m)^Received: from [^\n]*\n(?:[ \t][^\n]*\n)*")


class Peers(NamedTuple):
    """Both servers with the same tables. asked: these. keeps_theirs, keeps_ours: what they take arrives there."""

    theirs: int
    their_log: Path
    ours: Gate
    asked: Mapping[str, str]
    limits: Sequence[str]
    keeps_theirs: NotQmail
    keeps_ours: NotQmail


@pytest.fixture(scope="module")
def peers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Peers]]:
    """All servers."""
    folder = tmp_path_factory.mktemp("contents")
    draw = random.Random(SEED)
    drawn = [(tables, contents.limits(draw, tables)) for tables in (contents.tables(draw) for _ in range(SERVERS))]
    asked = {f"c{number}": _options(folder / f"t{number}", *both) for number, both in enumerate(drawn)}
    with ExitStack() as stack:
        sink, behind = kept_by(stack, folder / "sink", (), me="sink.example")
        running = stack.enter_context(
            postfix.running(
                {name: (*OURS[:2], f"cleanup_service_name={name}") for name in asked},
                main=postfix.PLAIN + MAIN.format(port=behind.port),
                master=SMTP + "".join(_cleanup(name, words) for name, words in asked.items()),
            )
        )
        found = []
        for (name, words), (tables, limits) in zip(asked.items(), drawn, strict=True):
            backend, gate = kept_by(stack, folder / name, words)
            found.append(Peers(running.ports[name], running.log, gate, tables, limits, sink, backend))
        yield found


def _cleanup(name: str, asked: Sequence[str]) -> str:
    """A line of master.cf. asked: parameters."""
    options = " ".join(f"-o {{ {one.replace('=', ' = ', 1)} }}" for one in asked)
    return f"{name} unix n - n - 0 cleanup {options}\n"


def _options(folder: Path, tables: Mapping[str, str], limits: Sequence[str]) -> list[str]:
    """Parameters of both servers, whose tables are written."""
    folder.mkdir()
    for name, text in tables.items():
        (folder / name).write_text(text, "latin-1")
    return [*(f"{name}={f'regexp:{folder / name}' if text else ''}" for name, text in tables.items()), *limits]


@pytest.mark.parametrize("seed", range(MESSAGES))
def test_the_same_becomes_of_a_message(peers: list[Peers], seed: int) -> None:
    """The same reply, the same lines of the log, and byte for byte the same message, but for a Received line."""
    draw = random.Random(SEED * 1_000_000 + seed)
    pair = peers[seed % SERVERS]
    content, recipient = contents.message(draw), b"r%d@ours.example" % seed
    their_mark, our_mark = pair.their_log.stat().st_size, pair.ours.mark()
    told = f"{pair.asked} {pair.limits} {content!r}"

    theirs, ours = _heard(pair.theirs, content, recipient), _heard(pair.ours.port, content, recipient)

    assert ours == theirs, told
    until(lambda: b" disconnect from " in _since(pair.their_log, their_mark), "the end of Postfix's session")
    noted = _noted(_since(pair.their_log, their_mark))
    assert _noted(pair.ours.since(our_mark)) == noted, told
    if theirs == b"250" and not any(line.startswith(b"discard") for line in noted):
        our = _kept(pair.keeps_ours, recipient)
        until(lambda: _kept(pair.keeps_theirs, recipient), "the message behind Postfix")
        assert our and _OWN_RECEIVED.sub(b"", _kept(pair.keeps_theirs, recipient)[0], 1) == our[0], told
    else:
        assert _kept(pair.keeps_ours, recipient) == [], told


def _heard(port: int, content: bytes, recipient: bytes) -> bytes:
    """What is said of a message: the code, of a refusal the words."""
    steps: list[Step] = [b"EHLO mx.far.example", b"MAIL FROM:<s@far.example>", b"RCPT TO:<%b>" % recipient, b"DATA"]
    with Client(socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)) as client:
        client.reply()
        *_, reply, _bye = client.converse([*steps, Content(content + b".\r\n"), b"QUIT"])
    return reply[:_OF_REPLY] if reply[:1] in b"45" else reply[:3]


def _noted(log: bytes) -> list[bytes]:
    return [line[:_COMPARED].translate(bytes.maketrans(b"[]<>", b"()()")) for line in _NOTED.findall(log)]


def _kept(backend: NotQmail, recipient: bytes) -> list[bytes]:
    return [message.text for message in backend.messages() if recipient in message.recipients]


def _since(log: Path, mark: int) -> bytes:
    return log.read_bytes()[mark:]
