"""A mail server as a backend, without a socket: bytes in, bytes out; with all the ways in which one can fail."""

import random
import re
from typing import NamedTuple

from tests.support.readers import READERS

_WORD = rb"[\w!#$%&'*+/=?^`{|}~\x80-\xff-]+"
_QUOTED = rb'"(?:[^"\\\0-\x1f\x7f]|\\["\\])*"'
_MAILBOX = rb"(?:%b(?:\.%b)*|%b)(?:@[\w.\[\]\x80-\xff-]+)?" % (_WORD, _WORD, _QUOTED)
#: What a backend may ever be told: words that were written anew. HELO's name is whatever the client says.
_COMMANDS = re.compile(
    rb"(?P<hello>HELO|EHLO) [!-~]{1,255}"
    rb"|MAIL FROM:(?P<sender><(?:%b)?>)(?: SIZE=\d+| BODY=(?i:7BIT|8BITMIME)| SMTPUTF8)*"
    rb"|RCPT TO:(?P<recipient><%b>)|DATA|RSET|QUIT" % (_MAILBOX, _MAILBOX)
)
_KEYWORDS = [b"PIPELINING", b"SIZE 1000", b"8BITMIME", b"SMTPUTF8", b"DSN", b"STARTTLS", b"", b"=x"]
_REFUSALS = [b"451 later", b"550 no", b"550-no\r\n550 (#5.7.1)", b"421 leaving", b"452 full\n", b"553 \xff\0"]
_JUNK = [b"", b"hello", b"25", b"250-a\r\n550 b", b"\0\0", b"999 x", b"1", b"354 go"]


class Message(NamedTuple):
    """A message that the server has taken for one: the envelope as it was told, and the lines."""

    sender: bytes
    recipients: tuple[bytes, ...]
    lines: tuple[bytes, ...]


class ModelServer:
    """A server. reader: how it finds the end of content. failing: the chance that a reply is none of the usual ones.

    said: what it says next. gone: whether it has ended. is_off: whether it has said two replies to a command. messages:
    what it was given, whatever it replied. commands: that it was told.
    """

    def __init__(self, chance: random.Random, reader: str, failing: float) -> None:
        self.gone = False
        self.said = b""
        self.is_off = False
        self.messages: list[Message] = []
        self.commands: list[bytes] = []
        self._chance = chance
        self._reader = READERS[reader]
        self._failing = failing
        self._buffer = b""
        self._in_content = self._pipelines = False
        self._sender: bytes | None = None
        self._recipients: list[bytes] = []
        self._say(b"220 model ESMTP")

    def receive(self, data: bytes) -> None:
        """Read what it is told. Raises AssertionError for what no backend may ever be told."""
        if self.gone:
            return
        self._buffer += data
        while self._content() if self._in_content else self._command():
            pass

    @property
    def unread(self) -> bytes:
        """What it has been told and what is neither a whole command nor a whole message."""
        return self._buffer

    def _command(self) -> bool:
        line, end, rest = self._buffer.partition(b"\r\n")
        if not end or self.gone:
            return False
        self._buffer = rest
        self.commands.append(line)
        found = _COMMANDS.fullmatch(line)
        assert found is not None, f"the backend was told {line!r}"
        assert len(line) < 1024
        assert self._pipelines or self.is_off or not rest, f"{rest!r} behind {line!r}"
        self._carry_out(line[:4], found)
        return True

    def _carry_out(self, verb: bytes, found: re.Match[bytes]) -> None:
        if found["hello"]:
            self._forget()
            self._hello(found["hello"])
        elif verb == b"MAIL":
            assert self._sender is None or self.is_off, "MAIL within a transaction"
            if self._say(b"250 sender"):
                self._sender = found["sender"]
        elif verb == b"RCPT":
            # Behind a refused MAIL it may have been pipelined.
            if self._say(b"250 " + found["recipient"]) and self._sender is not None:
                self._recipients.append(found["recipient"])
        elif verb == b"DATA":
            assert self._recipients or self.is_off, "DATA without a recipient"
            self._in_content = self._say(b"354 go")
        elif verb == b"RSET":
            if self._say(b"250 reset"):
                self._forget()
        else:
            self._say(b"221 bye")
            self.gone = True

    def _hello(self, verb: bytes) -> None:
        keywords = self._chance.sample(_KEYWORDS, self._chance.randrange(len(_KEYWORDS)))
        lines = [b"model", *keywords] if verb == b"EHLO" else [b"model"]
        self._pipelines = b"PIPELINING" in lines
        marks = [b"-"] * (len(lines) - 1) + [b" "]
        self._say(b"\r\n".join(b"250%b%b" % (mark, line) for mark, line in zip(marks, lines, strict=True)))

    def _content(self) -> bool:
        """Whether the end of content was found, which it is as this server finds it."""
        read = self._reader(self._buffer)
        if read is None:
            return False
        self._buffer = self._buffer[read.taken :]
        self._in_content = False
        self.messages.append(Message(self._sender or b"", tuple(self._recipients), tuple(read.lines)))
        self._forget()
        self._say(b"250 message")
        return not self.gone

    def _forget(self) -> None:
        self._sender = None
        self._recipients = []

    def _say(self, usual: bytes) -> bool:
        """Reply as usual, or not -> whether that was the reply that carries the command out."""
        words, behind = usual, b""
        if self._chance.random() < self._failing:
            draw = self._chance.randrange(10)
            if draw < 2:
                self.gone = draw == 0
                return False
            if draw == 2:
                behind = self._chance.choice(_REFUSALS) + b"\r\n"
                self.gone = self._chance.random() < 0.5
                self.is_off |= not self.gone
            elif draw == 3:
                words = usual + b" x" * 3000
            else:
                words = self._chance.choice(_JUNK if draw == 4 else _REFUSALS)
        self.said += words + self._chance.choice([b"\r\n", b"\r\n", b"\r\n", b"\n"]) + behind
        return words.startswith((usual, usual[:3] + b" "))
