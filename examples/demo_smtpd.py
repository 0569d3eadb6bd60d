#!/usr/bin/env python3
"""A demonstration of a program behind pytcpserver; no mail server, and never to be used as one.

It speaks SMTP on standard input and output as qmail-smtpd does, so that the front door can be tried on a machine
without any mail system. What it accepts goes into a Maildir and no further, relayed mail included.

    demo_smtpd.py CONTROL MAILDIR        or without arguments: $DEMO_CONTROL and $DEMO_MAILDIR

CONTROL is a folder with files as in qmail's control: me (this host's name), smtpgreeting (said instead of me),
rcpthosts (domains to take mail for, .domain for those below one; without this file every domain), badmailfrom
(senders to refuse, @domain for all of one), databytes (size of the largest message). All but me may be missing.

$RELAYCLIENT, even an empty one, lets the client send anywhere and is appended to each recipient. $DATABYTES stands
above databytes; 0 is LARGEST. $TCPREMOTEIP, $TCPREMOTEHOST, $TCPREMOTEINFO and $TCPLOCALHOST go into the message.

Exit codes: 0, 1 where the client is gone or too slow, 100 for wrong arguments, 111 for unreadable files.
"""

import os
import select
import signal
import sys
import time
from collections.abc import Callable, Mapping
from email.utils import formatdate
from pathlib import Path

from demo_session import Control, Message, Session

#: Bytes of a message, seconds of a session.
LARGEST = 10_000_000
SESSION_SECONDS = 600.0

#: Bytes that a socket takes without making us wait once it is writable.
_MOUTHFUL = 512

_CLEAN = bytes(byte if 32 <= byte <= 126 else ord("?") for byte in range(256))

Environment = Mapping[bytes, bytes]


class Wire:
    """Standard input and output, with one end of patience for everything that waits."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    def read(self) -> bytes:
        """What the client has sent; nothing: it has closed its side. Raises TimeoutError and other OSErrors."""
        self._wait([0], [])
        return os.read(0, 4096)

    def write(self, data: bytes) -> None:
        """Send all of it. Raises TimeoutError and other OSErrors."""
        while data:
            self._wait([], [1])
            data = data[os.write(1, data[:_MOUTHFUL]) :]

    def _wait(self, readable: list[int], writable: list[int]) -> None:
        left = max(0.0, self._end - time.monotonic())
        if not any(select.select(readable, writable, [], left)):
            raise TimeoutError


def converse(session: Session, wire: Wire) -> None:
    """Carry bytes between a client and its session until one of them ends it. Raises OSError."""
    wire.write(session.greeting())
    while not session.finished and (data := wire.read()):
        wire.write(session.receive(data))


def read_control(folder: Path) -> Control:
    """The operator's files. Raises OSError, also where me is missing, and ValueError for databytes without a number."""
    me = _lines(folder / "me")
    if not me:
        raise FileNotFoundError(folder / "me")
    rcpthosts = _lines(folder / "rcpthosts")
    return Control(
        me=me[0],
        greeting=(_lines(folder / "smtpgreeting") or me)[0],
        rcpthosts=None if rcpthosts is None else frozenset(line.lower() for line in rcpthosts),
        badmailfrom=frozenset(line.lower() for line in _lines(folder / "badmailfrom") or ()),
        databytes=int((_lines(folder / "databytes") or [b"0"])[0]),
    )


def limit(control: Control, environment: Environment) -> int:
    """Bytes that a message may have: $DATABYTES or databytes, never above LARGEST. Raises ValueError."""
    asked = int(environment.get(b"DATABYTES", control.databytes))
    return min(asked, LARGEST) if asked > 0 else LARGEST


def storing(maildir: Path, control: Control, environment: Environment) -> Callable[[Message], bytes]:
    """What puts a message into the Maildir, once whatever its recipients, and gives its receipt."""

    def store(message: Message) -> bytes:
        import mailbox  # most clients leave without a message, and this costs as much as all the rest

        now = time.time()
        text = trace(message, control, environment, now) + message.text
        mailbox.Maildir(maildir).add(text)
        return b"%d demo %d" % (now, os.getpid())

    return store


def trace(message: Message, control: Control, environment: Environment, now: float) -> bytes:
    """The lines above a stored message: its envelope, who handed it over to whom, and when (seconds since 1970)."""
    info = environment.get(b"TCPREMOTEINFO")
    received = b"Received: from %s (HELO %s) (%s%s)" % (
        environment.get(b"TCPREMOTEHOST", b"unknown"),
        message.helo,
        b"" if info is None else info + b"@",
        environment.get(b"TCPREMOTEIP", b"unknown"),
    )
    by = b"  by %s with SMTP; %s" % (environment.get(b"TCPLOCALHOST", control.me), formatdate(now).encode())
    recipients = (b"X-Envelope-To: <%s>" % recipient for recipient in message.recipients)
    lines = [b"Return-Path: <%s>" % message.sender, *recipients, received, by]
    return b"".join(line.translate(_CLEAN) + b"\n" for line in lines)


def main() -> int:
    """The program; its exit code."""
    places = sys.argv[1:] or [os.environ.get("DEMO_CONTROL", ""), os.environ.get("DEMO_MAILDIR", "")]
    if len(places) != 2 or not all(places):
        print("demo_smtpd: usage: demo_smtpd.py control maildir", file=sys.stderr)
        return 100
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C ends us as it ends any other backend: without a traceback
    wire = Wire(SESSION_SECONDS)
    try:
        control = read_control(Path(places[0]))
        size = limit(control, os.environb)
    except (OSError, ValueError) as error:
        print(f"demo_smtpd: fatal: unable to read controls: {error}", file=sys.stderr)
        return _give_up(b"421 unable to read controls (#4.3.0)\r\n", 111)
    session = Session(control, os.environb.get(b"RELAYCLIENT"), size, storing(Path(places[1]), control, os.environb))
    try:
        converse(session, wire)
    except TimeoutError:
        return _give_up(b"451 timeout (#4.4.2)\r\n", 1)
    except OSError:
        return 1
    return 0


def _give_up(reply: bytes, exit_code: int) -> int:
    """Say a last word to whoever takes it at once."""
    try:
        Wire(0).write(reply)
    except OSError:
        pass  # the client is gone, or does not read
    return exit_code


def _lines(file: Path) -> list[bytes] | None:
    """The lines of a control file without blanks around, comments and empty ones; None where there is no file."""
    try:
        lines = [line.strip() for line in file.read_bytes().splitlines()]
    except FileNotFoundError:
        return None
    return [line for line in lines if line and not line.startswith(b"#")]


if __name__ == "__main__":
    sys.exit(main())
