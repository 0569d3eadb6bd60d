"""Where a milter's header stands behind Postfix and behind our gate, in a message that lists have put headers in."""

import re
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from typing import NamedTuple

import pytest

from tests.support.backends.known import NotQmail
from tests.support.milter import CONTINUE, ScriptedMilter, scripted_milter
from tests.support.smtp_client import Client, Content
from tests.support.waiting import PATIENCE, until
from ucspi_py.core.milter.packet import number, packed

from . import postfix
from .sinks import MAIN, OURS, SMTP, kept_by

LISTS = (
    "smtpd_recipient_restrictions=reject_unauth_destination, "
    "check_sender_access static:{PREPEND X-One: 1}, check_recipient_access static:{PREPEND X-Two: 2}"
)
CONTENT = b"Subject: x\r\nX-Last: y\r\n\r\nbody\r\n.\r\n"
_OWN_RECEIVED = re.compile(
    rb"(?m)^Received: from [^\n]*\n[ \t]+by mx\.example\.org \(Postfix\)[^\n]*\n(?:[ \t][^\n]*\n)*"
)


class Peers(NamedTuple):
    """The port of each with what it has passed on, and the milter of both."""

    milter: ScriptedMilter
    theirs: tuple[int, NotQmail]
    ours: tuple[int, NotQmail]


@pytest.fixture(scope="module")
def peers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Peers]:
    """Both with the same lists."""
    folder = tmp_path_factory.mktemp("places")
    with ExitStack() as stack:
        milter = stack.enter_context(scripted_milter())
        words = (f"smtpd_milters={milter.service}", LISTS)
        sink, behind = kept_by(stack, folder / "sink", (), me="sink.example")
        main = postfix.PLAIN + MAIN.format(port=behind.port)
        running = stack.enter_context(postfix.running({"lists": (*OURS[:2], *words)}, main=main, master=SMTP))
        backend, gate = kept_by(stack, folder / "ours", words)
        yield Peers(milter, (running.ports["lists"], sink), (gate.port, backend))


@pytest.mark.parametrize("place", [0, 1, 2, 3, 4, 5, 100])
def test_an_inserted_header_stands_in_the_same_place(peers: Peers, place: int) -> None:
    """Headers of lists count, and our Received behind them; milters hear of all but that."""
    peers.milter.says[b"E"] = packed(b"i", number(place) + b"X-Milter\0here\0") + CONTINUE
    theirs, ours = (_passed_on(peers.milter, port, kept) for port, kept in (peers.theirs, peers.ours))

    assert ours == theirs
    assert b"X-One: 1" in theirs[0]


def _passed_on(milter: ScriptedMilter, port: int, kept: NotQmail) -> tuple[bytes, list[bytes]]:
    """A message as it was passed on, and its headers as the milter has heard them."""
    count = len(kept.messages())
    milter.heard.clear()
    with Client(socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)) as client:
        client.reply()
        begin = (b"EHLO mx.far.example", b"MAIL FROM:<s@far.example>", b"RCPT TO:<r@ours.example>", b"DATA")
        assert client.converse((*begin, Content(CONTENT), b"QUIT"))[-2].startswith(b"250")
    until(lambda: len(kept.messages()) > count, "the message")
    text = _OWN_RECEIVED.sub(b"", kept.messages()[-1].text, count=1)
    return text, [heard.data for heard in milter.heard if heard.command == b"L"]
