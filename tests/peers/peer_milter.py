"""What Postfix's smtpd and our gate tell a milter of the same dialogue, and how they begin: packet by packet."""

import asyncio
import re
import socket
from collections.abc import Iterator, Sequence

import pytest

from tests.support.answering import run
from tests.support.milter import ScriptedMilter, optneg, scripted_milter
from tests.support.milters.scenes import absent
from tests.support.smtp_client import Client
from tests.support.waiting import PATIENCE, until
from ucspi_py.core.gate.milter.content import BODY_LIMIT
from ucspi_py.core.gate.milter.macros import client_facts
from ucspi_py.core.gate.milter.service import parse_milter
from ucspi_py.core.gate.milter.settings import Limits, MacroTexts, MilterSettings
from ucspi_py.core.gate.visitor import Visitor
from ucspi_py.core.milter.words import Protocol
from ucspi_py.core.smtp.envelope import Envelope
from ucspi_py.core.smtp.path import Path, parse_path
from ucspi_py.system.gate.milter.client import MilterClient
from ucspi_py.system.gate.milter.client_milters import ClientMilters
from ucspi_py.system.gate.milter.held import HeldMessage

from . import postfix

ENVIRONMENT = {b"TCPREMOTEPORT": b"4711", b"TCPLOCALIP": b"127.0.0.1", b"TCPLOCALPORT": b"25"}
VISITOR = Visitor(b"unknown", b"127.0.0.1", unique_id=b"id")
HEADERS = b"From: a@b\r\nDate: Thu, 26 Nov 2026 21:26:28 +0000\r\nMessage-Id: <1@b>\r\n"
CONTENTS = (
    HEADERS + b"Subject:  two\r\n folded\r\n\tand more\r\nX : y\r\nEmpty:\r\n\r\n..dot\r\nbody\r\n",
    HEADERS + b"\r\n",
    HEADERS + b"\r\n" + b"x" * 80 + b"\r\n" + b"line\r\n" * 30_000,
)
SENDERS = (b"<a@B.example>", b"<>", b'<"a b"@b.example>')
RECIPIENTS = (b"<r@example.org>", b'<"a b"@Example.org>', b"<postmaster@example.org>")
#: What a milter may answer to the offer: versions, and what it does not want to hear or to answer.
OFFERS = (
    optneg(),
    optneg(2, 0x3F),
    optneg(3, 0x3F),
    optneg(4, 0x3F),
    optneg(protocol=Protocol.HDR_LEADSPC),
    optneg(protocol=Protocol.NOBODY | Protocol.NOHELO),
    optneg(protocol=Protocol.NOHDRS | Protocol.NOEOH | Protocol.NODATA),
    optneg(protocol=Protocol.NOMAIL | Protocol.NORCPT | Protocol.NOCONNECT),
)
#: Another one each time, or of Postfix's transports and version.
_ITS_OWN = re.compile(rb"(?<=i\0)[\w.]+(?=\0)|(?<=mailer}\0)\w+|(?<=v\0)[\w. ]+")
_GOODBYES = (b"O", b"A", b"Q", b"K")


@pytest.fixture(scope="module")
def milter() -> Iterator[ScriptedMilter]:
    """One milter, which both ask."""
    with scripted_milter() as found:
        yield found


@pytest.fixture(scope="module")
def theirs(milter: ScriptedMilter) -> Iterator[int]:
    """Postfix's port."""
    with postfix.running({"milter": (f"smtpd_milters={milter.service}",)}) as running:
        until(lambda: b"Q" in milter.commands)  # of whoever has looked whether Postfix listens
        milter.heard.clear()
        yield running.ports["milter"]


def heard(milter: ScriptedMilter) -> list[tuple[bytes, bytes]]:
    """What it has heard of one client, without what is another one each time."""
    until(lambda: milter.commands.endswith((b"Q", b"K")))
    packets = [(one.command, one.data) for one in milter.heard if one.command not in _GOODBYES]
    milter.heard.clear()
    ports = re.compile(rb"(?s)(?<=\x004)..(?=127)")
    return [
        (command, _ITS_OWN.sub(b"?", data) if command == b"D" else ports.sub(b"?", data) if command == b"C" else data)
        for command, data in packets
    ]


def of_postfix(port: int, sender: bytes, recipients: Sequence[bytes], content: bytes) -> None:
    """Say a message to Postfix."""
    client = Client(socket.create_connection(("127.0.0.1", port), timeout=PATIENCE))
    try:
        client.reply()
        commands = (b"EHLO c.example", b"MAIL FROM:" + sender + b" SIZE=100", *(b"RCPT TO:" + to for to in recipients))
        for command in commands:
            assert client.ask(command).startswith(b"250"), command
        assert client.ask(b"DATA").startswith(b"354")
        client.socket.sendall(content + b".\r\n")
        assert client.reply().startswith(b"250 ")
        client.ask(b"QUIT")
    finally:
        client.socket.close()


def path(said: bytes) -> Path:
    """A path as our dialogue has it."""
    found = parse_path(said, strict=True, utf8=False)
    assert found
    return found[0]


def of_ours(milter: ScriptedMilter, sender: bytes, recipients: Sequence[bytes], content: bytes) -> None:
    """Tell a message as the gate does."""

    async def session() -> None:
        client = MilterClient(parse_milter(milter.service), MilterSettings(), absent, print)
        facts = client_facts(ENVIRONMENT, VISITOR, b"mx.example.org", MacroTexts(version=b"1"))
        milters = ClientMilters([client], Limits(9, BODY_LIMIT), VISITOR, facts, print)
        envelope = Envelope(b"c.example", True, path(sender), ((b"SIZE", b"100"),))
        assert await milters.connect() is None
        assert await milters.helo(b"c.example") is None
        assert await milters.mail(envelope) is None
        for recipient in map(path, recipients):
            assert await milters.recipient(envelope, recipient) is None
            envelope = envelope._replace(recipients=(*envelope.recipients, recipient))
        assert await milters.data(envelope) is None
        message = HeldMessage()
        message.feed(content)
        message.end()
        assert await milters.hear(message, envelope) is None
        message.close()
        milters.end()
        client.close()
        await asyncio.sleep(0)

    run(session())


@pytest.mark.parametrize("offer", OFFERS)
@pytest.mark.parametrize("content", CONTENTS, ids=["folded", "empty", "large"])
def test_a_milter_is_told_the_same(theirs: int, milter: ScriptedMilter, offer: bytes, content: bytes) -> None:
    """Whatever it wants to hear, in Postfix's order, with Postfix's macros."""
    milter.says[b"O"] = offer
    of_postfix(theirs, SENDERS[0], RECIPIENTS, content)
    expected = heard(milter)
    of_ours(milter, SENDERS[0], RECIPIENTS, content)

    assert heard(milter) == expected
    assert any(command == b"E" for command, _ in expected)


@pytest.mark.parametrize("sender", SENDERS)
def test_it_is_told_the_same_of_senders(theirs: int, milter: ScriptedMilter, sender: bytes) -> None:
    """Null, quoted, and with a domain in large letters."""
    milter.says[b"O"] = optneg()
    of_postfix(theirs, sender, RECIPIENTS[:1], CONTENTS[1])
    expected = heard(milter)
    of_ours(milter, sender, RECIPIENTS[:1], CONTENTS[1])

    assert heard(milter) == expected
