"""The demonstration backend as a process, with one end of a socket pair on 0 and 1."""

import mailbox
import os
import re
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from demo_session import COMMAND_LIMIT

from tests.support.server import talk
from tests.support.waiting import PATIENCE, until

PROGRAM = Path(__file__).parents[2] / "examples/demo_smtpd.py"

BEGIN = b"MAIL FROM:<a@elsewhere.example>\r\nRCPT TO:<you@ours.example>\r\n"


@pytest.fixture
def places(tmp_path: Path) -> tuple[Path, Path]:
    """A control folder, and the place of the Maildir."""
    control = tmp_path / "control"
    control.mkdir()
    (control / "me").write_text("me.example\n")
    (control / "rcpthosts").write_text("# our domains\nours.example\n\n")
    (control / "badmailfrom").write_text("@bad.example\n")
    return control, tmp_path / "Maildir"


def start(
    words: Sequence[str | Path], environment: Mapping[str, str] | None = None, *, send_buffer: int = 0
) -> tuple[subprocess.Popen[bytes], socket.socket]:
    """The program with a client: the process and the client's end."""
    here, there = socket.socketpair()
    if send_buffer:
        there.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, send_buffer)
    with there:
        process = subprocess.Popen(
            [*words],
            stdin=there.fileno(),
            stdout=there.fileno(),
            stderr=subprocess.PIPE,
            env={"PATH": os.environ["PATH"], **(environment or {})},
        )
    here.settimeout(PATIENCE)
    return process, here


def converse(
    words: Sequence[str | Path], said: bytes, environment: Mapping[str, str] | None = None
) -> tuple[bytes, bytes, int]:
    """Say something to the program and hang up: its replies, what it complains of, its exit code."""
    process, client = start(words, environment)
    with process, client:
        replies = talk(client, said)
        assert process.stderr
        return replies, process.stderr.read(), process.wait(PATIENCE)


CLIENT = {"TCPREMOTEIP": "192.0.2.1", "TCPREMOTEHOST": "client.example", "TCPREMOTEINFO": "joe", "TCPLOCALHOST": "mx"}
FOREIGN = b"HELO x\r\nMAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\nSubject: hi\r\n\r\n..\r\n.\r\nQUIT\r\n"


def test_relay_allowed(places: tuple[Path, Path]) -> None:
    """The message is in the Maildir once, under its envelope and the way it came."""
    replies, complaint, code = converse([PROGRAM, *places], FOREIGN, {**CLIENT, "RELAYCLIENT": ".relay"})

    assert re.fullmatch(
        rb"220 me\.example ESMTP demonstration, not a mail server\r\n250 me\.example\r\n250 ok\r\n250 ok\r\n"
        rb"354 go ahead\r\n250 ok \d+ demo \d+\r\n221 me\.example\r\n",
        replies,
    )
    assert (complaint, code) == (b"", 0)
    stored = list(mailbox.Maildir(places[1], create=False))
    assert len(stored) == 1
    head, received, text = re.split(rb"(?<=\n)(Received: [^\n]*\n  [^\n]*\n)", bytes(stored[0]), maxsplit=1)
    assert head == b"Return-Path: <a@b>\nX-Envelope-To: <c@d.relay>\n"
    assert received.startswith(b"Received: from client.example (HELO x) (joe@192.0.2.1)\n  by mx with SMTP; ")
    assert text == b"Subject: hi\n\n.\n"


def test_relay_refused(places: tuple[Path, Path]) -> None:
    """Without $RELAYCLIENT a foreign recipient is refused in qmail's words, and nothing is stored."""
    replies = converse([PROGRAM, *places], FOREIGN, CLIENT)[0]

    assert b"\r\n553 sorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)\r\n503 RCPT first" in replies
    assert not places[1].exists()


def test_several_recipients(places: tuple[Path, Path]) -> None:
    """One message for several is stored once; places may come from the environment, unknown names are unknown."""
    environment = {"DEMO_CONTROL": str(places[0]), "DEMO_MAILDIR": str(places[1])}
    said = b"MAIL FROM:<>\r\nRCPT TO:<a@ours.example>\r\nRCPT TO:<b@ours.example>\r\nDATA\r\n.\r\n"

    converse([PROGRAM], said, environment)

    (message,) = mailbox.Maildir(places[1], create=False)
    assert message.get_all("X-Envelope-To") == ["<a@ours.example>", "<b@ours.example>"]
    assert message["Return-Path"] == "<>"
    assert message["Received"].startswith("from unknown (HELO ) (unknown)\n  by me.example with SMTP; ")


def test_no_header_is_forged(places: tuple[Path, Path]) -> None:
    """Control and 8-bit bytes of an envelope do not reach the lines above the message."""
    said = b"HELO x\ry\x00\xe9\r\nMAIL FROM:<a\rForged: yes>\r\nRCPT TO:<b>\r\nDATA\r\n.\r\n"

    converse([PROGRAM, *places], said, {"TCPREMOTEHOST": "client\nForged: yes"})

    (message,) = mailbox.Maildir(places[1], create=False)
    assert message["Forged"] is None
    assert message["Return-Path"] == "<a?Forged: yes>"
    assert message["Received"].startswith("from client?Forged: yes (HELO x?y??) (unknown)\n")


@pytest.mark.parametrize(
    ("control", "variable", "size", "taken"),
    [
        ("10", None, 10, True),
        ("10", None, 11, False),
        ("10", "20", 20, True),
        ("10", "20", 21, False),
        ("10", "0", 4000, True),
        ("0", None, 4000, True),
        (None, "10", 11, False),
    ],
)
def test_databytes(
    control: str | None, variable: str | None, size: int, taken: bool, places: tuple[Path, Path]
) -> None:
    """control/databytes counts the bytes of a message, $DATABYTES stands above it, 0 leaves the program's own limit."""
    if control:
        (places[0] / "databytes").write_text(control + "\n")
    said = BEGIN + b"DATA\r\n" + b"x" * (size - 1) + b"\r\n.\r\n"

    replies = converse([PROGRAM, *places], said, {"DATABYTES": variable} if variable else None)[0]

    assert (b"\r\n250 ok " in replies) is taken
    assert (b"\r\n552 sorry, that message size exceeds my databytes limit (#5.3.4)\r\n" in replies) is not taken
    assert places[1].exists() is taken


def test_bad_sender_and_greeting(places: tuple[Path, Path]) -> None:
    """control/badmailfrom refuses a sender's recipients; control/smtpgreeting is said instead of me."""
    (places[0] / "smtpgreeting").write_text("come.in\n")

    replies = converse([PROGRAM, *places], b"MAIL FROM:<x@bad.example>\r\nRCPT TO:<a@ours.example>\r\nHELO x\r\n")[0]

    assert replies.startswith(b"220 come.in ESMTP")
    assert b"\r\n553 sorry, your envelope sender is in my badmailfrom list (#5.7.1)\r\n250 come.in\r\n" in replies


@pytest.mark.parametrize("damage", ["no me", "me is a folder", "databytes is a word", "no folder"])
def test_unreadable_control(damage: str, places: tuple[Path, Path]) -> None:
    """What cannot be read is not guessed: the client shall try later, the operator learns why."""
    control, _ = places
    if damage == "databytes is a word":
        (control / "databytes").write_text("lots\n")
    else:
        (control / "me").unlink()
    if damage == "me is a folder":
        (control / "me").mkdir()
    if damage == "no folder":
        control = control / "none"

    replies, complaint, code = converse([PROGRAM, control, places[1]], b"HELO x\r\n")

    assert replies == b"421 unable to read controls (#4.3.0)\r\n"
    assert complaint.startswith(b"demo_smtpd: fatal: unable to read controls: ")
    assert code == 111


@pytest.mark.parametrize("words", [["one"], ["one", "two", "three"], ["one", ""], []])
def test_usage(words: list[str]) -> None:
    """Wrong arguments: one line and exit 100."""
    done = subprocess.run([PROGRAM, *words], stdin=subprocess.DEVNULL, capture_output=True, check=False)
    assert (done.returncode, done.stdout) == (100, b"")
    assert done.stderr == b"demo_smtpd: usage: demo_smtpd.py control maildir\n"


def test_unable_to_store(places: tuple[Path, Path]) -> None:
    """A Maildir that cannot be: the client keeps its message."""
    places[1].write_text("no folder")

    replies = converse([PROGRAM, *places], BEGIN + b"DATA\r\n.\r\nNOOP\r\n")[0]

    assert replies.endswith(b"354 go ahead\r\n451 unable to store this message (#4.3.0)\r\n250 ok\r\n")


IMPATIENT = "import sys, demo_smtpd as d; d.SESSION_SECONDS = 0.5; sys.exit(d.main())"


def impatient(places: tuple[Path, Path], *, send_buffer: int = 0) -> tuple[subprocess.Popen[bytes], socket.socket]:
    """The program, with half a second for a session."""
    environment = {"PYTHONPATH": str(PROGRAM.parent), "PYTHONDONTWRITEBYTECODE": "1"}
    return start([sys.executable, "-c", IMPATIENT, *places], environment, send_buffer=send_buffer)


def test_silent_client(places: tuple[Path, Path]) -> None:
    """Who says nothing is told so, and left."""
    process, client = impatient(places)
    with process, client, client.makefile("rb") as replies:
        assert replies.readline().startswith(b"220 ")
        assert replies.read() == b"451 timeout (#4.4.2)\r\n"
        assert process.wait(PATIENCE) == 1


def test_client_without_end(places: tuple[Path, Path]) -> None:
    """The deadline is for the whole session, however busy a client is."""
    process, client = impatient(places)

    def hung_up() -> bool:
        try:
            client.send(b"NOOP\r\n")
        except OSError:
            return True
        return False

    with process, client:
        until(hung_up, "the deadline")
        assert process.wait(PATIENCE) == 1


def test_client_that_does_not_read(places: tuple[Path, Path]) -> None:
    """The deadline also ends a session whose replies nobody takes."""
    process, client = impatient(places, send_buffer=1)
    with process, client:
        client.sendall(b"EHLO x\r\n" * (COMMAND_LIMIT - 1))
        assert process.wait(PATIENCE) == 1
        client.setblocking(False)
        assert len(client.recv(10**6)) < (COMMAND_LIMIT - 1) * 40


def test_client_that_is_gone(places: tuple[Path, Path]) -> None:
    """A client that hangs up in the middle leaves no message and no traceback."""
    replies, complaint, code = converse([PROGRAM, *places], BEGIN + b"DATA\r\nhalf a mess")

    assert replies.endswith(b"354 go ahead\r\n")
    assert (complaint, code) == (b"", 0)
    assert not places[1].exists()
