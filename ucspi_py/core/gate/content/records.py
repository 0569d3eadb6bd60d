"""Framed content -> its lines, long ones in pieces (smtp_stream.c, smtp_get). Never looks at what they say."""

from typing import NamedTuple


class Record(NamedTuple):
    """A line, or a piece of one.

    text: without line end, its dot taken away. is_whole: the line ends here. is_first: it begins here.
    """

    text: bytes
    is_whole: bool
    is_first: bool = True


class Records:
    """Content in pieces of any size, as core/smtp/content frames it.

    limit: bytes of a record. begins: whether the next record begins a line.
    """

    def __init__(self, limit: int) -> None:
        self.begins = True
        self._limit = limit
        self._data = b""
        self._at = 0

    @property
    def waiting(self) -> int:
        """Bytes that were fed and not taken."""
        return len(self._data) - self._at

    def feed(self, data: bytes) -> None:
        """Take content."""
        self._data = self._data[self._at :] + data
        self._at = 0

    def next(self) -> Record | None:
        """Take the next record; None where more must come before it is one."""
        end = self._data.find(b"\n", self._at, self._at + self._limit + 1)
        if end >= 0:
            text = self._data[self._at : end - 1]
            return self._taken(text, end + 1, is_whole=True)
        end = self._at + self._limit
        if len(self._data) > end:
            return self._taken(self._data[self._at : end], end, is_whole=False)
        return None

    def take_all(self) -> bytes:
        """Take what there is, as it was framed."""
        return self._cut(len(self._data))

    def take_to_boundary(self) -> bytes:
        """Take what stands before the next line that begins with ``--``, as it was framed."""
        data, at = self._data, self._at
        if self.begins and data.startswith(b"--", at):
            return b""
        found = data.find(b"\n--", at)
        if found >= 0:
            return self._cut(found + 1)
        line = data.rfind(b"\n", at) + 1
        # One dash may be the first of two.
        is_dash = data[line or at :] == b"-" and (self.begins or line > 0)
        return self._cut(len(data) - is_dash)

    def _taken(self, text: bytes, end: int, *, is_whole: bool) -> Record:
        is_first = self.begins
        if is_first and text.startswith(b"."):
            text = text[1:]
        self._at, self.begins = end, is_whole
        return Record(text, is_whole, is_first)

    def _cut(self, end: int) -> bytes:
        taken = self._data[self._at : end]
        self._at = end
        if taken:
            self.begins = taken.endswith(b"\n")
        return taken
