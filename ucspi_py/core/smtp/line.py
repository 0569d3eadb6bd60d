"""Command lines out of what a client sends: the only tokenizer there is (RFC 5321, 2.3.8). Never reads a command."""

import enum
from typing import NamedTuple

#: First bytes of protocols without lines: TLS hello (RFC 8446, 5.1: handshake 22), SSL 2 hello, SOCKS 4 and 5 request
#: (RFC 1928, 3), Remote Desktop (RFC 1006, 6: TPKT 3). No line end may ever come.
FOREIGN_BYTES = (b"\x16", b"\x80", b"\x04", b"\x05", b"\x03")

_NUL, _CR = 0, 13


class Flaw(enum.Enum):
    """Why a line is no command line; where a line has several flaws, the first one here is told."""

    TOO_LONG = "too long"
    NUL = "NUL"
    BARE_CR = "bare CR"
    BARE_LF = "bare LF"
    EIGHT_BIT = "8-bit byte"


class Flawed(NamedTuple):
    """A line that is no command line. line: without its line end, for the log; b"" where it was too long.

    A line with an 8-bit byte has no other flaw: who takes SMTPUTF8 (RFC 6531, 3.4) may read it all the same. One with a
    bare LF has at most 8-bit bytes besides.
    """

    why: Flaw
    line: bytes


class CommandReader:
    """Bytes of a client -> its lines. limit: bytes of one without its line end; may be changed between two lines."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._buffer = bytearray()
        self._skips = False

    @property
    def buffered(self) -> int:
        """Bytes that were read ahead."""
        return len(self._buffer)

    @property
    def has_more(self) -> bool:
        """Whether bytes were read ahead."""
        return bool(self._buffer)

    @property
    def foreign(self) -> bool:
        """Whether what comes next is no line but another protocol, so that its end need not be waited for."""
        return not self._skips and self._buffer.startswith(FOREIGN_BYTES)

    def feed(self, data: bytes) -> None:
        """Take bytes of the client, in pieces of any size."""
        self._buffer += data

    def next(self) -> bytes | Flawed | None:
        """Read the next line -> the line without its CRLF, or what is wrong with it; None = it has not ended yet.

        Of a line that is too long no more than the limit is kept; the rest of it is skipped.
        """
        if not self._buffer:
            return None
        end = self._buffer.find(b"\n")
        if end < 0:
            self._skip()
            return None
        line = bytes(self._buffer[:end])
        del self._buffer[: end + 1]
        skipped, self._skips = self._skips, False
        return self._checked(line, skipped)

    def take_rest(self) -> bytes:
        """Take what was read ahead, which is content and no command."""
        rest = bytes(self._buffer)
        self._buffer.clear()
        return rest

    def _skip(self) -> None:
        """Drop a line that is too long already; one byte above the limit may be the CR of its end."""
        if self._skips or len(self._buffer) > self.limit + 1:
            self._skips = True
            self._buffer.clear()

    def _checked(self, line: bytes, skipped: bool) -> bytes | Flawed:
        command = line.removesuffix(b"\r")
        if skipped or len(command) > self.limit:
            return Flawed(Flaw.TOO_LONG, b"")
        if _NUL in command:
            return Flawed(Flaw.NUL, command)
        if _CR in command:
            return Flawed(Flaw.BARE_CR, command)
        if command is line:
            return Flawed(Flaw.BARE_LF, command)
        return command if command.isascii() else Flawed(Flaw.EIGHT_BIT, command)
