"""Who is asked about, and what such a client says. Never hears a reply."""

import binascii
import difflib
from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

from ..address import is_ipv6
from ..text import shown

#: The one step that is sent in the end, whatever was said.
QUIT = b"QUIT"
_DOT = b".\r\n"
_AUTH = b"AUTH PLAIN "
#: Changed lines that are told, and bytes of a message in which they are looked for.
_CHANGES, _COMPARED = 20, 1 << 20


class Asked(NamedTuple):
    """A client that is asked about.

    ip: canonical. helo: its name; None = the one that DNS has, or its address. sender: None = the null sender, where
    there is a recipient. message: as it stands in a file; None = an empty one. login: its user; None = none.
    """

    ip: bytes
    helo: bytes | None = None
    sender: bytes | None = None
    recipients: tuple[bytes, ...] = ()
    message: bytes | None = None
    login: bytes | None = None

    @property
    def has_envelope(self) -> bool:
        """Whether the client says more than its name."""
        return self.sender is not None or bool(self.recipients)


def commands(asked: Asked, name: bytes | None) -> Iterator[bytes]:
    """Yield what the client says up to its last recipient. name: from DNS; None = it has none."""
    literal = b"[IPv6:%b]" % asked.ip if is_ipv6(asked.ip) else b"[%b]" % asked.ip
    yield b"EHLO " + (asked.helo or name or literal)
    if asked.login is not None:
        yield _AUTH + binascii.b2a_base64(b"\0%b\0x" % asked.login, newline=False)
    if asked.has_envelope:
        yield b"MAIL FROM:<%b>" % (asked.sender or b"")
    for recipient in asked.recipients:
        yield b"RCPT TO:<%b>" % recipient


def told(command: bytes, asked: Asked) -> str:
    """Show a command as a step; of a login whose it is, as there is no password."""
    return f"(logs in as {shown(asked.login or b'')})" if command.startswith(_AUTH) else shown(command)


def changes(message: bytes | None, came: bytes) -> tuple[str, ...]:
    """Tell what the gate has changed in a message, - before a line that is gone, + before one that is new.

    came: what the program has got, without its final dot.
    """
    sent = content(message).removesuffix(_DOT)
    if sent == came:
        return ()
    if len(sent) > _COMPARED:
        return (f"the gate has changed it: {len(came)} bytes come to the program",)
    before, after = (list(map(shown, text.split(b"\r\n"))) for text in (sent, came))
    lines = difflib.unified_diff(before, after, n=0, lineterm="")
    of_lines = (line for line in islice(lines, 2, None) if not line.startswith("@@"))
    return tuple(islice(of_lines, _CHANGES))


def content(message: bytes | None) -> bytes:
    """Frame a message for DATA, with its final dot (RFC 5321, 4.5.2). message: lines that end in LF or CRLF."""
    lines = (message or b"").replace(b"\r\n", b"\n").split(b"\n")
    if not lines[-1]:
        lines.pop()
    stuffed = (b"." + line if line.startswith(b".") else line for line in lines)
    return b"".join(line + b"\r\n" for line in (*stuffed, b"."))
