"""One logical header as it comes: its lines, and what tables are asked for (mime_state.c). Never asks one."""

import re

from ..maps.action import HEADER_NAME
from .records import Record

#: header_opts.c: headers that are about MIME, wherever they stand.
_ABOUT_MIME = frozenset(
    (
        *(b"content-%b" % what for what in (b"description", b"disposition", b"id", b"transfer-encoding", b"type")),
        b"mime-version",
    )
)


#: The line that a mailbox puts before a message; smtpd.c makes a header of it, and others follow.
_FROM = re.compile(rb">*From ")
_OF_MAILBOX = b"X-Mailbox-Line"


class Header:
    """A header that has begun. records: its lines, as far as they are kept. name: in small letters."""

    def __init__(self, name: bytes, value: bytes, first: Record, limit: int) -> None:
        """Begin with its first line. value: what is behind the name, with the colon. limit: bytes that are kept."""
        self.name = name.lower()
        self.records: list[Record] = []
        self._texts = [name]
        self._size = len(name)
        self._limit = limit
        self._keep(first, value)
        self._is_whole = first.is_whole

    @classmethod
    def begun(cls, record: Record, limit: int, *, is_top: bool) -> "Header | None":
        """Begin a header; None where the line is none.

        limit: bytes that are kept of it. is_top: it is the first line of a message.
        """
        if is_top and _FROM.match(record.text):
            return cls(_OF_MAILBOX, b": " + record.text, record, limit)
        found = HEADER_NAME.match(record.text)
        return cls(found[1], record.text[found.end() :], record, limit) if found else None

    @property
    def is_about_mime(self) -> bool:
        """Whether it belongs to MIME (mime_header_checks)."""
        return self.name in _ABOUT_MIME

    @property
    def text(self) -> bytes:
        """All of it without its last line end, and without blanks before the colon."""
        return b"".join(self._texts)

    @property
    def value(self) -> bytes:
        """What stands behind the colon."""
        return self.text[len(self.name) + 1 :]

    def continues(self, record: Record) -> bool:
        """Whether a line, or a piece of one, belongs to it."""
        return not self._is_whole or record.text.startswith((b" ", b"\t"))

    def add(self, record: Record) -> None:
        """Take a line of it, or a piece of one; beyond the limit it is dropped."""
        if self._size < self._limit:
            if self._is_whole:
                self._texts.append(b"\n")
                self._size += 1
            self._keep(record, record.text)
        self._is_whole = record.is_whole

    def _keep(self, record: Record, text: bytes) -> None:
        """Keep a line. text: what of it counts; looked at is all of it, passed on as much as there is room for."""
        text = _unended(text, record)
        room = self._limit - self._size
        self._texts.append(text)
        self._size += len(text)
        if len(text) > room:
            record = record._replace(text=_unended(record.text, record)[: room - len(text)])
        if room > 0 or not self.records:
            self.records.append(record)


def _unended(text: bytes, record: Record) -> bytes:
    """Postfix takes CRs before the end of a line for a part of it (smtp_stream.c)."""
    return text.rstrip(b"\r") if record.is_whole else text
