"""Whether a client was answered in order: what it said and what it heard, read side by side."""

import re
from typing import NamedTuple

_REPLY = re.compile(rb"(?:(\d{3})-[^\r\n]*\r\n)*(\d{3}) [^\r\n]*\r\n")
_LAST = re.compile(rb"(?:421 |554 5\.5\.0 Error: SMTP protocol synchronization)")
_ADDRESS = re.compile(rb"<[rs]\d+@a\.example>")
_ERROR = rb"[45]\d\d[ -]"

#: How a reply to each verb begins.
_FITTING = {
    b"HELO": rb"250 gate\.example|50[13] ",
    b"EHLO": rb"250-gate\.example|50[13] ",
    b"MAIL": rb"250 2\.1\.0 |5\d\d ",
    b"RCPT": rb"250 |" + _ERROR,
    b"DATA": rb"354 |" + _ERROR,
    b"RSET": rb"250 2\.0\.0 |501 ",
    b"NOOP": rb"250 2\.0\.0 ",
    b"VRFY": rb"252 2\.0\.0 |50[12] ",
    b"HELP": rb"214 ",
    b"QUIT": rb"221 2\.0\.0 ",
    b"AUTH": rb"503 ",
    b"BDAT": rb"521 ",
    b"STARTTLS": rb"50[12] ",
} | dict.fromkeys((b"EXPN", b"XCLIENT", b"ETRN"), rb"502 ")


class Heard(NamedTuple):
    """What a client heard of a gate.

    replies: all of it. arrived: for each time when some of them came, how many bytes of them there were then, and how
    many the client had said. line_length_limit: of a command. rejects: whether a bare LF makes a command none. quotes:
    whether a 250 to RCPT holds its path.
    """

    replies: bytes
    arrived: list[tuple[int, int]]
    line_length_limit: int
    rejects: bool
    quotes: bool


class Walked(NamedTuple):
    """What was said, as it was answered: command lines, and what stood between each 354 and the end behind it."""

    commands: list[bytes]
    contents: list[bytes]
    rest: bytes


def walk(said: bytes, heard: Heard) -> Walked:
    """Read both side by side. Raises AssertionError for a reply that is out of order, or one too many."""
    walker = _Walker(said, heard)
    first, *replies = _split(heard.replies)
    assert first.startswith((b"220 ", b"554 5.5.0 "))
    walker.come(first)
    for at, reply in enumerate(replies):
        walker.come(reply)
        if not walker.is_answered_by(reply):
            assert at == len(replies) - 1, f"{reply!r} before {walker.rest!r}"
            assert _LAST.match(reply), f"{reply!r} before {walker.rest!r}"
    if walker.asked_for_content:
        _, _, walker.rest = _cut_content(walker.rest)
    return Walked(walker.commands, walker.contents, walker.rest)


class _Walker:
    """What was said, up to where it is answered. rest: what is not."""

    def __init__(self, said: bytes, heard: Heard) -> None:
        self.rest = said
        self.commands: list[bytes] = []
        self.contents: list[bytes] = []
        self.asked_for_content = False
        self._said = len(said)
        self._heard = heard
        self._come = 0
        self._in_transaction = False
        self._is_lost = False

    def come(self, reply: bytes) -> None:
        """Hear a reply."""
        assert not self._is_lost or _LAST.match(reply), f"{reply!r} while content may come"
        self._come += len(reply)

    def is_answered_by(self, reply: bytes) -> bool:
        """Whether a reply is one to what stands here; then that is behind us."""
        if self.asked_for_content:
            return self._content_is_answered_by(reply)
        line, found, rest = self.rest.partition(b"\n")
        if not found and reply.startswith((b"221 2.7.0 ", b"500 ")):
            found, line = line, line + b"\r"
        if not found or not _fits(line, reply, self._heard) or not self._is_in_place(_verb(line), reply):
            return False
        self.commands.append(line)
        self.rest = rest
        return True

    def _content_is_answered_by(self, reply: bytes) -> bool:
        content, found, rest = _cut_content(self.rest)
        if not found or not reply.startswith((b"250 message", b"4", b"5")):
            return False
        self.contents.append(content)
        self.rest = rest
        self.asked_for_content = self._in_transaction = False
        return True

    def _is_in_place(self, verb: bytes, reply: bytes) -> bool:
        """Whether a transaction is where a reply says that it is (RFC 5321, 4.1.4)."""
        if reply.startswith(b"250"):
            self._in_transaction = verb in (b"MAIL", b"RCPT") or (self._in_transaction and verb == b"NOOP")
        elif verb == b"DATA":
            self.asked_for_content = reply.startswith(b"354 ")
            was_read = not reply.startswith(b"500 ")
            self._is_lost = was_read and not self.asked_for_content and self._is_talked_over()
        if b" Error: nested MAIL" in reply:
            return self._in_transaction
        return not (self._in_transaction and b" Error: need " in reply)

    def _is_talked_over(self) -> bool:
        """Whether the client had said more than the line here when the reply came: that may be content."""
        arrived = next(said for heard, said in self._heard.arrived if heard >= self._come)
        return arrived > self._said - len(self.rest) + self.rest.index(b"\n") + 1


def told(walked: Walked, commands: list[bytes]) -> None:
    """Check what backends were told. Raises AssertionError for an address that the client has not said, in order.

    A sender may be told again, to the backend after one that has failed.
    """
    senders = [line for line in walked.commands if _verb(line) == b"MAIL"]
    recipients = (line for line in walked.commands if _verb(line) == b"RCPT")
    for command in commands:
        address = _ADDRESS.search(command)
        said = recipients if command.startswith(b"RCPT") else senders
        assert address is None or any(address[0] in line for line in said), f"{command!r} was never said"


def _split(heard: bytes) -> list[bytes]:
    """Replies, each with all its lines, of which all have one code."""
    replies, at = [], 0
    while at < len(heard):
        found = _REPLY.match(heard, at)
        assert found is not None, heard[at:]
        assert found[1] in (None, found[2]), found[0]
        replies.append(found[0])
        at = found.end()
    return replies


def _cut_content(said: bytes) -> tuple[bytes, bytes, bytes]:
    """Content with its last line end, its end, and what is behind it."""
    content, found, rest = (b"\r\n" + said).partition(b"\r\n.\r\n")
    return (content + b"\r\n")[2:] if found else said, found, rest


def _fits(line: bytes, reply: bytes, heard: Heard) -> bool:
    """Whether it can be the reply to this line."""
    text = line.removesuffix(b"\r")
    if len(text) > heard.line_length_limit or (text == line and heard.rejects):
        return reply.startswith((b"500 ", b"221 2.7.0 "))
    if b"\0" in text or b"\r" in text:
        return reply.startswith((b"500 ", b"221 2.7.0 "))
    if not text.isascii() and reply.startswith(b"500 5.5.2 Error: bad UTF-8"):
        return True
    verb = _verb(text)
    if not re.match(_FITTING.get(verb, rb"500 |221 2\.7\.0 "), reply):
        return False
    address = _ADDRESS.search(text) if heard.quotes and verb == b"RCPT" and reply.startswith(b"250 ") else None
    return address is None or address[0] in reply


def _verb(line: bytes) -> bytes:
    return b"".join(line.split(None, 1)[:1]).upper()
