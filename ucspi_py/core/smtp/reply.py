"""SMTP replies as values, and their bytes (RFC 5321, 4.2). Never decides which one is due."""

from typing import NamedTuple

from ..text import clean

#: RFC 5321, 4.5.3.1.5: a reply line has 512 bytes at most, its line end among them.
LINE_LIMIT = 510


class Reply(NamedTuple):
    """One reply. code: three digits. texts: what stands behind the code on each of its lines, at least one."""

    code: int
    texts: tuple[bytes, ...]

    @property
    def is_positive(self) -> bool:
        """Whether the command was carried out (2xx)."""
        return self.code < 300

    @property
    def hangs_up(self) -> bool:
        """Whether the connection is closed behind it (RFC 5321, 3.8 and Postfix: 421 and 521)."""
        return self.code in (421, 521)

    @property
    def wire(self) -> bytes:
        """The bytes for the client: lines of 510 bytes at most, control and 8-bit bytes as ``?``."""
        *firsts, last = self.texts
        return b"".join(_line(self.code, b"-", text) for text in firsts) + _line(self.code, b" ", last)

    @property
    def line(self) -> bytes:
        """Code and first text on one line, for a log."""
        return _line(self.code, b" ", self.texts[0])[:-2]

    @property
    def softened(self) -> "Reply":
        """The same for now where it refuses for good, as softened() makes it."""
        return self if self.code < 500 else Reply(self.code - 100, tuple(map(_soft, self.texts)))


def reply(code: int, *texts: bytes) -> Reply:
    """Make a reply of its code and the text of each of its lines."""
    return Reply(code, texts)


def softened(wire: bytes) -> bytes:
    """Make a refusal one for now, and its enhanced code (Postfix's smtpd_chat.c, soft_bounce). wire: of a 5xx reply."""
    lines = wire.splitlines(keepends=True)
    return b"".join(b"4%b%b" % (line[1:4], _soft(line[4:])) for line in lines)


def _soft(text: bytes) -> bytes:
    return b"4" + text[1:] if text.startswith(b"5") else text


def _line(code: int, mark: bytes, text: bytes) -> bytes:
    return (b"%d%b%b" % (code, mark, clean(text)))[:LINE_LIMIT] + b"\r\n"
