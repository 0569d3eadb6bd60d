"""Framed content -> headers and body as milters hear of them, and back. Never holds a body.

Content is framed as core/smtp/content does it: lines that end in CRLF, dots doubled.
"""

from ...milter.packet import CHUNK
from ..maps.action import HEADER_NAME
from .header import Header

#: Bytes of all headers of a message, and its lines: they are held in memory, which each line takes of its own, too.
HEADERS_LIMIT, LINES_LIMIT = 1024 * 1024, 10_000
#: Headers of a message: each that a milter wants to have changed is sought among all of them.
MOST_HEADERS = 2000
#: Bytes of one header. libmilter hangs up where a packet has more than 65,535: name and value, each with its end.
HEADER_LIMIT = CHUNK - 1
#: Bytes of a body that a milter puts in where messages have no limit. Postfix's cleanup has only the disk's then.
BODY_LIMIT = 1024 * 1024 * 1024


def body_limit(message_size_limit: int | None) -> int:
    """Tell how many bytes a body may have that a milter puts in. message_size_limit: bytes, 0 or None = any."""
    return message_size_limit or BODY_LIMIT


class Headers:
    """The headers of a message that comes in pieces of any size.

    headers: those that are whole. is_done: what comes now is body. has_separator: an empty line was between them; else
    the body's first line is no header, or there is no body. is_too_large: beyond a limit, and nothing more is kept.
    """

    def __init__(self) -> None:
        self.headers: list[Header] = []
        self.is_done = False
        self.has_separator = True
        self.is_too_large = False
        self._name = b""
        self._open: list[bytes] = []
        self._line = b""
        self._size = self._open_size = self._lines = self._count = 0

    def feed(self, content: bytes) -> bytes:
        """Take a piece -> what of it is of the body, framed as it was."""
        if self.is_done:
            return content
        if self.is_too_large:
            return b""
        self._size += len(content)
        lines = (self._line + content).split(b"\r\n")
        self._line = lines.pop()
        for at, line in enumerate(lines):
            if self._ends_with(line):
                rest = b"\r\n".join((*lines[at + self.has_separator :], self._line))
                self._line = b""
                return rest
            if self.is_too_large:
                return b""
        self.is_too_large = self._size > HEADERS_LIMIT
        return b""

    def end(self) -> None:
        """Take the end of the message, which ends headers, too."""
        if not self.is_done:
            self._close()
            self.is_done, self.has_separator = True, False

    def _ends_with(self, line: bytes) -> bool:
        """Take a line -> whether it ends the headers."""
        text = line.removeprefix(b".")
        if not (self._open and text.startswith((b" ", b"\t"))):
            self._close()
            found = HEADER_NAME.match(text)
            if found is None:
                self.is_done, self.has_separator = True, not text
                return True
            self._name = found[1]
            self._count += 1
        self._open.append(text)
        self._open_size += len(text) + 1
        self._lines += 1
        is_long = self._open_size - 1 > HEADER_LIMIT
        self.is_too_large = is_long or self._lines > LINES_LIMIT or self._count > MOST_HEADERS
        return False

    def _close(self) -> None:
        if self._open:
            self.headers.append(Header(self._name, tuple(self._open)))
            self._open, self._open_size = [], 0


class Unframed:
    """A body that was framed, in pieces -> as milters hear of it, with dots as they were."""

    def __init__(self) -> None:
        self._last = b"\n"

    def feed(self, content: bytes) -> bytes:
        """Take a piece; a dot that was doubled is one again."""
        if not content:
            return b""
        text = (self._last + content).replace(b"\n.", b"\n")
        self._last = content[-1:]
        return text[1:]


class Framed:
    """A body of a milter's, in pieces -> framed for the backend, whatever its line ends are."""

    def __init__(self) -> None:
        self._last = b"\n"
        self._held = b""

    def feed(self, body: bytes) -> bytes:
        """Take a piece."""
        text = self._held + body
        self._held = b"\r" if text.endswith(b"\r") else b""
        return self._framed(text.removesuffix(self._held))

    def end(self) -> bytes:
        """Take the end: what is left to be told, and the end of a line that is open."""
        text, self._held = self._held.replace(b"\r", b" "), b""
        rest = self._framed(text)
        return rest if self._last == b"\n" else rest + self._framed(b"\n")

    def _framed(self, text: bytes) -> bytes:
        if not text:
            return b""
        # CRLF and LF both end a line; a CR alone does not, and nobody is to take it for one.
        ended = text.replace(b"\r\n", b"\n").replace(b"\r", b" ").replace(b"\n", b"\r\n")
        lines = self._last + ended
        self._last = lines[-1:]
        return lines.replace(b"\n.", b"\n..")[1:]


def framed_headers(headers: list[Header]) -> bytes:
    """Frame headers for the backend, without the empty line behind them; a dot may begin a name."""
    return b"".join(_stuffed(line) + b"\r\n" for header in headers for line in header.lines)


def _stuffed(line: bytes) -> bytes:
    return b"." + line if line.startswith(b".") else line
