"""The backend's bytes -> its replies (RFC 5321, 4.2.1). Never judges what they mean."""

import re

from ..reply import Reply

#: Bytes of a line that are kept; what is beyond them is dropped.
LINE_LIMIT = 2048
#: Lines of one reply; an EHLO of those in the field has fewer than 30.
LINES_LIMIT = 100

_LINE = re.compile(rb"([2-5][0-9][0-9])(?:([ -])(.*))?", re.DOTALL)


class ReplyReader:
    """Reads what a backend says. junk: the line with which it stopped being replies; None as long as it is sound."""

    def __init__(self) -> None:
        self.junk: bytes | None = None
        self._rest = b""
        self._code = 0
        self._texts: list[bytes] = []

    def feed(self, data: bytes) -> None:
        """Take bytes as they come, whatever their pieces."""
        self._rest += data

    def next(self) -> Reply | None:
        """Read one reply; None where it is not whole yet, or junk was found, behind which nothing is read.

        A line ends at LF, as for qmail's own reader; one CR before it is dropped.
        """
        while self.junk is None and (line := self._line()) is not None:
            if (reply := self._reply(line)) is not None:
                return reply
        return None

    def _line(self) -> bytes | None:
        line, ended, rest = self._rest.partition(b"\n")
        if not ended:
            self._rest = line[:LINE_LIMIT]
            return None
        self._rest = rest
        return line.removesuffix(b"\r")[:LINE_LIMIT]

    def _reply(self, line: bytes) -> Reply | None:
        """Take a line into the reply; the reply where that was its last."""
        parts = _LINE.fullmatch(line)
        code = int(parts[1]) if parts else 0
        if not parts or len(self._texts) >= LINES_LIMIT or (self._texts and code != self._code):
            self.junk = line
            return None
        self._code = code
        self._texts.append(parts[3] or b"")
        if parts[2] == b"-":
            return None
        texts, self._texts = tuple(self._texts), []
        return Reply(code, texts)
