"""The backends of the gate's tests are what they say they are: the model of qmail-smtpd, its queue, the scripted one.

Where $QMAIL_SMTPD names a real qmail-smtpd, the model is held against it, byte for byte, and the tests of content run
with it too. Its control folder, which is compiled in, must have ``mx.example.org`` in me, ``example.org`` in rcpthosts,
and no other file.
"""

import os
import random
import re
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from tests.support.backends.known import Backend, Keeper, Mailfront, NotQmail, RealQmail, Scripted
from tests.support.gate import controls
from tests.support.waiting import PATIENCE

REAL = [RealQmail] if os.environ.get("QMAIL_SMTPD") else []
BEGIN = b"MAIL FROM:<s@example.net>\r\nRCPT TO:<r@example.org>\r\nDATA\r\n"
EVIL = b"MAIL FROM:<evil@example.net>\r\nRCPT TO:<r@example.org>\r\nDATA\r\nevil\r\n.\r\n"
STRAY = b"451 See https://cr.yp.to/docs/smtplf.html.\r\n"
GREETED = b"220 mx.example.org ESMTP\r\n"
BEGUN = GREETED + b"250 ok\r\n250 ok\r\n354 go ahead\r\n"
TAKEN = b"250 ok N qp N\r\n"

Make = Callable[[Path, Path], Keeper]


def said(backend: Backend, data: bytes, environment: Mapping[str, str] | None = None) -> bytes:
    """What it answers to bytes and their end; numbers of times and processes masked."""
    env = {"PATH": os.environ["PATH"], "TCPREMOTEIP": "192.0.2.7", **backend.environment, **(environment or {})}
    done = subprocess.run(backend.argv, input=data, env=env, stdout=subprocess.PIPE, timeout=PATIENCE, check=False)
    return re.sub(rb"(ok|qp) \d+", rb"\1 N", done.stdout)


@pytest.fixture(params=[NotQmail, *REAL], ids=lambda made: made.__name__)
def qmail(request: pytest.FixtureRequest, tmp_path: Path) -> Keeper:
    """The model, and the real one."""
    made: Keeper = request.param(tmp_path / "backend", controls(tmp_path / "control"))
    return made


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b".\r\n", b""),
        (b"a\r\n..\r\n..b\r\n.c\r\n.\r\n", b"a\n.\n.b\nc\n"),
        (b"no header\r\n.\r\n", b"no header\n"),
        (b"\x00\xff\r\r\n.\r\n", b"\x00\xff\r\n"),
        (b"a\rb\r\n\r.\r\n.\r\n", b"a\rb\n\r.\n"),
        (b"a\r\n.\r\r\nb\r\n.\r\n", b"a\n.\r\nb\n"),
        (b"a\r\n.\rb\r\n.\r\n", b"a\n.\rb\n"),
    ],
)
def test_what_qmail_queues_of_content(qmail: Keeper, content: bytes, text: bytes) -> None:
    """CRLF becomes LF, a dot at the front goes, and a bare CR stays."""
    assert said(qmail, BEGIN + content + b"QUIT\r\n") == BEGUN + TAKEN + b"221 mx.example.org\r\n"
    assert [message.text for message in qmail.messages()] == [text]
    assert qmail.messages()[0][:2] == (b"s@example.net", (b"r@example.org",))


@pytest.mark.parametrize("content", [b"\n.\n", b"\n.\r\n", b"\r\n.\n", b"a\nb\r\n.\r\n", b"a\r\n\n.\r\n"], ids=repr)
def test_qmail_leaves_at_a_stray_newline(qmail: Keeper, content: bytes) -> None:
    """With 451, and nothing is queued."""
    assert said(qmail, BEGIN + content + EVIL) == BEGUN + STRAY
    assert qmail.messages() == []


def test_a_client_that_goes_within_content_leaves_nothing_at_qmail(qmail: Keeper) -> None:
    """Its queue never gets the envelope."""
    assert said(qmail, BEGIN + b"half a message\r\n.") == BEGUN
    assert qmail.messages() == []


def test_how_qmail_reads_commands(qmail: Keeper) -> None:
    """Split at LF, one CR dropped, cut at NUL, verbs in any case, addresses with routes, quotes and without <>."""
    dialogue = (
        b"EhLo  x\nhelo y\r\r\nNOOP\0x\r\nrset x\r\nvrfy\r\nBDAT\r\nrcpt to:<x>\r\nDATA\r\n"
        b'mail from: a b\r\nDATA\r\nmail from:<@q:a\\>"b>"@d>junk\r\nrcpt to:<r@elsewhere.example>\r\n'
        b"rcpt to:<u%elsewhere.example>\r\nrcpt to:<r@EXAMPLE.org>\r\nMAIL FROM:<%b>\r\nhelp\r\nquit\r\nnoop\r\n"
    ).replace(b"%b", b"x" * 900)
    replies = (
        b"250-mx.example.org\r\n250-PIPELINING\r\n250 8BITMIME\r\n250 mx.example.org\r\n250 ok\r\n250 flushed\r\n"
        b"252 send some mail, i'll try my best\r\n502 unimplemented (#5.5.1)\r\n503 MAIL first (#5.5.1)\r\n"
        b"503 MAIL first (#5.5.1)\r\n250 ok\r\n503 RCPT first (#5.5.1)\r\n250 ok\r\n"
        b"553 sorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)\r\n250 ok\r\n250 ok\r\n"
        b"555 syntax error (#5.5.4)\r\n214 notqmail home page: https://notqmail.org\r\n221 mx.example.org\r\n"
    )
    assert said(qmail, dialogue) == GREETED + replies


def test_what_relayclient_and_databytes_do_to_qmail(qmail: Keeper) -> None:
    """RELAYCLIENT stands behind every recipient; one byte more than DATABYTES is too much."""
    environment = {"RELAYCLIENT": "@fixme", "DATABYTES": "5"}
    assert said(qmail, BEGIN + b"123\r\n\r\n.\r\n", environment) == BEGUN + TAKEN
    assert said(qmail, BEGIN + b"1234\r\n\r\n.\r\n", environment).endswith(b" my databytes limit (#5.3.4)\r\n")
    assert [message.recipients for message in qmail.messages()] == [(b"r@example.org@fixme",)]


def test_qmail_counts_hops(qmail: Keeper) -> None:
    """A hundred Received or Delivered-To lines of the header are a loop."""
    hop = b"rEcEiVeD: x\r\n x\r\n"
    assert said(qmail, BEGIN + 99 * hop + b"\r\n" + 9 * hop + b".\r\n") == BEGUN + TAKEN
    assert said(qmail, BEGIN + 99 * hop + b"Delivered-To: x\r\n.\r\n").endswith(b"this message is looping (#5.4.6)\r\n")


@pytest.mark.parametrize("seed", range(40))
def test_the_model_is_the_real_one(seed: int, tmp_path: Path) -> None:
    """Whatever the bytes: the same replies, the same messages."""
    chance = random.Random(seed)
    pieces = [
        b"\r\n",
        b"\r\n",
        b"\r",
        b"\n",
        b".",
        b"\0",
        b"a",
        b"\r\n.\r\n",
        b"Received: ",
        b"DATA\r\n",
        BEGIN,
        b"<@a:b>",
    ]
    data = BEGIN * chance.randrange(2) + b"".join(chance.choices(pieces, k=chance.randrange(60)))
    heard = []
    for made in (NotQmail, RealQmail):
        backend = made(tmp_path / made.__name__, controls(tmp_path / "control"))
        heard.append((said(backend, data), backend.messages()))

    assert heard[0] == heard[1]


test_the_model_is_the_real_one.__test__ = bool(REAL)  # type: ignore[attr-defined] # pytest's own way to say so


@pytest.mark.parametrize("end", [b"\n.\n", b"\n.\r\n", b"\r\n.\n"], ids=repr)
def test_mailfront_alone_can_be_smuggled_to(end: bytes, tmp_path: Path) -> None:
    """It takes what follows as another message: what the gate must keep from it."""
    backend = Mailfront(tmp_path / "backend", controls(tmp_path / "control"))

    said(backend, BEGIN + b"a" + end + EVIL)

    assert [message.sender for message in backend.messages()] == [b"s@example.net", b"evil@example.net"]


def test_the_scripted_backend_does_what_its_script_says(tmp_path: Path) -> None:
    """Turn by turn, and records each byte, its environment, its descriptors and its end."""
    backend = Scripted(tmp_path)
    backend.does({"MAIL": [["250 one"], ["553-two", "553 lines"]], ".": [["!raw 451 cut\n", "!exit 3"]]})

    first = said(backend, BEGIN + b"x\n.\n\r\n.\r\nQUIT\r\n")
    second = said(backend, b"MAIL\r\nMAIL\r\nFOO\r\nQUIT\r\n", {"WORD": "x"})

    assert first == b"220 scripted ESMTP\r\n250 one\r\n250 recipient ok\r\n354 go on\r\n451 cut\n"
    assert second == b"220 scripted ESMTP\r\n250 one\r\n553-two\r\n553 lines\r\n500 what?\r\n221 bye\r\n"
    visits = backend.visits()
    assert [visit.end for visit in visits] == ["exit 3", "quit"]
    assert visits[0].input == BEGIN + b"x\n.\n\r\n.\r\nQUIT\r\n"
    assert visits[1].environment[b"WORD"] == b"x"
    assert set(visits[1].descriptors) == {0, 1, 2}


@pytest.mark.parametrize("where", ["start", "EHLO", "MAIL", "RCPT", "DATA", "content", "."])
def test_the_scripted_backend_dies_at_every_point(where: str, tmp_path: Path) -> None:
    """Without a word."""
    backend = Scripted(tmp_path)
    points = ["start", "EHLO", "MAIL", "RCPT", "DATA", "content", "."]
    backend.does({where: [["!exit 111"]]})

    heard = said(backend, b"EHLO x\r\n" + BEGIN + b"x\r\n.\r\n").splitlines()

    assert len([line for line in heard if line[3:4] == b" "]) == min(points.index(where), 5)
    assert backend.last().end == "exit 111"
