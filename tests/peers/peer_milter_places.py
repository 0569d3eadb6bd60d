"""What a milter makes of a message behind Postfix and behind our gate.

Where its header stands where lists have put headers in, and how its addresses are told that are not ASCII.
"""

import re
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
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
#: What header checks make of what lists have put in, and of what the client sent.
CHECKS = {
    "nothing": "",
    "one less": "/^X-One:/ IGNORE\n",
    "none": "/^X-(One|Two):/ IGNORE\n",
    "one more": "/^X-Two:/ PREPEND X-Three: 3\n",
    "another": "/^X-One:/ REPLACE X-Other: 1\n",
    "of the client": "/^Subject:/ PREPEND X-Three: 3\n/^X-Last:/ IGNORE\n",
}
CONTENT = b"Subject: x\r\nX-Last: y\r\n\r\nbody\r\n.\r\n"
_OWN_RECEIVED = re.compile(
    rb"(?m)^Received: from [^\n]*\n[ \t]+by mx\.example\.org \(Postfix\)[^\n]*\n(?:[ \t][^\n]*\n)*"
)


class Peers(NamedTuple):
    """The port of each with what it has passed on, the milter of both, and Postfix's log."""

    milter: ScriptedMilter
    their_log: Path
    theirs: tuple[int, NotQmail]
    ours: tuple[int, NotQmail]


@pytest.fixture(scope="module", params=CHECKS)
def peers(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Peers]:
    """Both with the same lists and checks."""
    folder = tmp_path_factory.mktemp("places")
    (folder / "checks").write_text(CHECKS[request.param])
    checks = f"header_checks=regexp:{folder}/checks"
    with ExitStack() as stack:
        milter = stack.enter_context(scripted_milter())
        words = (f"smtpd_milters={milter.service}", LISTS)
        sink, behind = kept_by(stack, folder / "sink", (), me="sink.example")
        main = f"{postfix.PLAIN}{MAIN.format(port=behind.port)}{checks}\n"
        running = stack.enter_context(postfix.running({"lists": (*OURS[:2], *words)}, main=main, master=SMTP))
        backend, gate = kept_by(stack, folder / "ours", (*words, checks))
        yield Peers(milter, running.log, (running.ports["lists"], sink), (gate.port, backend))


@pytest.mark.parametrize("place", [0, 1, 2, 3, 4, 5, 100])
def test_an_inserted_header_stands_in_the_same_place(peers: Peers, place: int) -> None:
    """Headers of lists count that checks have left, and our Received behind them; milters hear of all but that."""
    peers.milter.says[b"E"] = packed(b"i", number(place) + b"X-Milter\0here\0") + CONTINUE
    theirs, ours = (_passed_on(peers.milter, port, kept) for port, kept in (peers.theirs, peers.ours))

    assert ours == theirs


@pytest.mark.parametrize(
    ("command", "where"), [(b"+", rb"to=<\?\?@ours.example>"), (b"e", rb"from=<\?\?@ours.example>")]
)
def test_an_address_that_is_not_ascii_is_told_as_it_is(peers: Peers, command: bytes, where: bytes) -> None:
    """Without SMTPUTF8, which the server behind Postfix wants, and qmail does not know."""
    address = "\u00e9@ours.example".encode()
    peers.milter.says[b"E"] = packed(command, b"<%b>\0" % address) + CONTINUE
    mark = peers.their_log.stat().st_size
    assert _said(peers.theirs[0]).startswith(b"250") and _said(peers.ours[0]).startswith(b"250")

    said = re.compile(where + rb"(?s:.*)Must declare SMTPUTF8")
    until(lambda: said.search(peers.their_log.read_bytes()[mark:]), "what Postfix hears")
    sender, recipients, _ = peers.ours[1].messages()[-1]
    assert address in (sender, *recipients)


def _passed_on(milter: ScriptedMilter, port: int, kept: NotQmail) -> tuple[bytes, list[bytes]]:
    """A message as it was passed on, and its headers as the milter has heard them."""
    count = len(kept.messages())
    milter.heard.clear()
    assert _said(port).startswith(b"250")
    until(lambda: len(kept.messages()) > count, "the message")
    text = _OWN_RECEIVED.sub(b"", kept.messages()[-1].text, count=1)
    return text, [heard.data for heard in milter.heard if heard.command == b"L"]


def _said(port: int) -> bytes:
    """What is said to a message."""
    with Client(socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)) as client:
        client.reply()
        begin = (b"EHLO mx.far.example", b"MAIL FROM:<s@far.example>", b"RCPT TO:<r@ours.example>", b"DATA")
        return client.converse((*begin, Content(CONTENT), b"QUIT"))[-2]
