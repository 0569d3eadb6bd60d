"""Who is asked about, and what such a client says. Never hears a reply."""

from collections.abc import Iterator
from typing import NamedTuple

from ..address import is_ipv6

#: The one step that is sent in the end, whatever was said.
QUIT = b"QUIT"


class Asked(NamedTuple):
    """A client that is asked about.

    ip: canonical. helo: its name; None = the one that DNS has, or its address. sender: None = the null sender, where
    there is a recipient. message: as it stands in a file; None = an empty one.
    """

    ip: bytes
    helo: bytes | None = None
    sender: bytes | None = None
    recipients: tuple[bytes, ...] = ()
    message: bytes | None = None

    @property
    def has_envelope(self) -> bool:
        """Whether the client says more than its name."""
        return self.sender is not None or bool(self.recipients)


def commands(asked: Asked, name: bytes | None) -> Iterator[bytes]:
    """Yield what the client says up to its last recipient. name: from DNS; None = it has none."""
    literal = b"[IPv6:%b]" % asked.ip if is_ipv6(asked.ip) else b"[%b]" % asked.ip
    yield b"EHLO " + (asked.helo or name or literal)
    if asked.has_envelope:
        yield b"MAIL FROM:<%b>" % (asked.sender or b"")
    for recipient in asked.recipients:
        yield b"RCPT TO:<%b>" % recipient


def content(message: bytes | None) -> bytes:
    """Frame a message for DATA, with its final dot (RFC 5321, 4.5.2). message: lines that end in LF or CRLF."""
    lines = (message or b"").replace(b"\r\n", b"\n").split(b"\n")
    if not lines[-1]:
        lines.pop()
    stuffed = (b"." + line if line.startswith(b".") else line for line in lines)
    return b"".join(line + b"\r\n" for line in (*stuffed, b"."))
