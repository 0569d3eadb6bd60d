"""Postfix's smtpd and our gate with the same lists, over the same name server: the same words for every command."""

import os
import random
import socket
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from typing import NamedTuple

import pytest

from tests.support.gate import controls, gated
from tests.support.nameserver import serving
from tests.support.smtp_client import Client, Step
from tests.support.waiting import PATIENCE

from . import lists, postfix
from .peer_postfix import _BACKEND

#: How many dialogues by chance, and how many servers with lists by chance hear them.
DIALOGUES = int(os.environ.get("PEERS_LISTS", "200"))
SERVERS = 8
SEED = int(os.environ.get("PEERS_SEED", "0"))
_PARAMETERS = ("smtpd_error_sleep_time=0", "smtpd_hard_error_limit=1000")
#: The gate's last check, where lists let mail for elsewhere pass.
_LAST_CHECK = b"Relay access denied"


class Pair(NamedTuple):
    """Both servers with the same lists."""

    theirs: int
    ours: int
    asked: Sequence[str]


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Pair]]:
    """All servers."""
    folder = tmp_path_factory.mktemp("lists")
    draw = random.Random(SEED)
    asked = {str(number): (*_PARAMETERS, *lists.parameters(draw)) for number in range(SERVERS)}
    main = folder / "main.cf"
    main.write_text("compatibility_level = 3.6\nmyhostname = mx.example.org\n" + lists.MAIN)
    control = controls(folder / "control", rcpthosts="\n".join(lists.DOMAINS))
    with serving(lists.DNS, folder, port=53) as server, ExitStack() as stack:
        ports = stack.enter_context(postfix.running(asked, main=lists.MAIN, name_server=server.address))
        found = []
        for name, words in asked.items():
            gate = stack.enter_context(
                gated(
                    ("sh", "-c", _BACKEND),
                    folder / name,
                    parameters=words,
                    control=control,
                    rules=":allow\n",
                    variables={"DNSCACHEIP": server.address},
                    file=main,
                )
            )
            found.append(Pair(ports[name], gate.port, words))
        yield found


@pytest.mark.parametrize("seed", range(DIALOGUES))
def test_the_same_lists_say_the_same(pairs: list[Pair], seed: int) -> None:
    """For every command, to the word; of what passes the code counts."""
    draw = random.Random(SEED * 1_000_000 + seed)
    pair = pairs[seed % SERVERS]
    steps, source = lists.dialogue(draw), draw.choice(lists.CLIENTS)
    theirs, ours = (heard(port, steps, source) for port in (pair.theirs, pair.ours))
    for place, (their, our) in enumerate(zip(theirs, ours, strict=False)):
        if our != their and _LAST_CHECK in our and their[:1] == b"2":
            return
        assert our == their, f"{source} {steps[:place]}: Postfix {their!r}, ours {our!r}; {pair.asked}"
    assert len(theirs) == len(ours)


def heard(port: int, steps: Sequence[Step], source: str) -> list[bytes]:
    """The banner, and what each step is told: of what passes the code."""
    connected = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE, source_address=(source, 0))
    with Client(connected) as client:
        replies = [client.reply(), *client.converse(steps)]
    return [reply if reply[:1] in b"45" else reply[:3] for reply in replies]
