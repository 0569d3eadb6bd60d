"""Ident (RFC 1413): the query, and the answer parsed as remoteinfo.c does. Never opens a socket."""

#: remoteinfo.c: reading stops once there are more than 256 bytes.
_ANSWER_LIMIT = 257
#: C reads blanks, and whatever comes before the colons, without end. RFC 1413, 4: answers have 1000 characters at most.
LINE_LIMIT = 2048
_SKIPPED = b" \t\r"


def question(remote_port: bytes, local_port: bytes) -> bytes:
    """Build the query line for the client's ident server (RFC 1413, 3). Ports are decimal."""
    return b"%s , %s\r\n" % (remote_port, local_port)


class AnswerReader:
    """Parses an answer that comes in pieces of any size.

    The answer is what follows the third colon up to the end of the line, without blanks, tabs and CRs, 257 bytes
    of it at most; a line with fewer colons is an empty answer. A line of more than LINE_LIMIT bytes is none.
    """

    def __init__(self) -> None:
        self._left = LINE_LIMIT
        self._colons = 0
        self._text = bytearray()

    @property
    def exhausted(self) -> bool:
        """Whether LINE_LIMIT bytes have come without an answer: what may follow makes none of them."""
        return not self._left

    def receive(self, data: bytes) -> bytes | None:
        """Parse some more bytes; the answer once it is whole, None while more is needed."""
        data = data[: self._left]
        self._left -= len(data)
        for byte in data:
            if byte == 0x0A:
                return self._answer()
            if byte in _SKIPPED:
                continue
            if self._colons < 3:
                self._colons += byte == 0x3A
                continue
            self._text.append(byte)
            if len(self._text) >= _ANSWER_LIMIT:
                return self._answer()
        return None

    def _answer(self) -> bytes:
        """As an environment variable holds it: a C string ends at its first NUL."""
        return bytes(self._text.partition(b"\0")[0])
