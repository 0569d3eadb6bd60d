"""The SMTP dialogue of the demonstration backend: client bytes -> reply bytes, with qmail-smtpd's manners and words.

Decides only; demo_smtpd.py reads, writes and stores for it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import ClassVar

#: Bytes of a line (RFC 5321 asks for 1,000) and of an address, commands of a session, recipients of a message.
LINE_LIMIT = 4096
ADDRESS_LIMIT = 900
COMMAND_LIMIT = 1000
RECIPIENT_LIMIT = 100

_FIXED = {
    b"noop": b"250 ok",
    b"vrfy": b"252 send some mail and see",
    b"help": b"214 this is a demonstration, not a mail server",
}
_UNKNOWN = b"502 unimplemented (#5.5.1)"
_BAD_SYNTAX = b"555 syntax error (#5.5.4)"


@dataclass(frozen=True, slots=True)
class Control:
    """What the operator's files say.

    me: this host's name. greeting: what stands for it in replies. rcpthosts, badmailfrom: in lower case; rcpthosts
    None: every domain. databytes: the largest message.
    """

    me: bytes
    greeting: bytes
    rcpthosts: frozenset[bytes] | None
    badmailfrom: frozenset[bytes]
    databytes: int

    def takes(self, recipient: bytes) -> bool:
        """Whether we receive mail for this address: in one of our domains, below a .domain, or without any domain."""
        _, at, host = recipient.lower().rpartition(b"@")
        if self.rcpthosts is None or not at:
            return True
        parents = (host[dot:] for dot in range(1, len(host)) if host.startswith(b".", dot))
        return host in self.rcpthosts or any(parent in self.rcpthosts for parent in parents)

    def refuses(self, sender: bytes) -> bool:
        """Whether a sender or its whole domain is in badmailfrom."""
        sender = sender.lower()
        return sender in self.badmailfrom or b"@" + sender.rpartition(b"@")[2] in self.badmailfrom


@dataclass(frozen=True, slots=True)
class Message:
    """An accepted message. text: as the client meant it, without dot-stuffing, every line ended by LF."""

    helo: bytes
    sender: bytes
    recipients: tuple[bytes, ...]
    text: bytes


@dataclass(slots=True)
class _Letter:
    """A message on its way in. size: bytes that have come; text holds none of them once they are too many."""

    sender: bytes
    recipients: list[bytes] = field(default_factory=list)
    text: bytearray = field(default_factory=bytearray)
    size: int = 0


class Session:
    """One client. Feed it what the client sends, send what it returns, end when it is finished.

    relay: $RELAYCLIENT or None. limit: bytes of a message. store: takes a message and gives the words that the client
    reads after ``250 ok``; its OSError becomes a 451.
    """

    def __init__(self, control: Control, relay: bytes | None, limit: int, store: Callable[[Message], bytes]) -> None:
        self.finished = False
        self._control = control
        self._relay = relay
        self._limit = limit
        self._store = store
        self._rest = b""
        self._commands = 0
        self._name = b""
        self._letter: _Letter | None = None
        self._in_text: _Letter | None = None

    def greeting(self) -> bytes:
        """What the client reads first."""
        return b"220 %s ESMTP demonstration, not a mail server\r\n" % self._control.greeting

    def receive(self, data: bytes) -> bytes:
        """Client bytes, in pieces of any size -> the replies they earn, in order."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        replies = []
        for line in lines:
            if self.finished:
                break
            replies.append(self._line(line))
        if len(self._rest) > LINE_LIMIT and not self.finished:
            replies.append(self._line(self._rest))
        return b"".join(reply + b"\r\n" for reply in replies if reply)

    def _line(self, line: bytes) -> bytes:
        if len(line) > LINE_LIMIT:
            return self._end(b"500 line too long (#5.5.2)")
        return self._text_line(self._in_text, line) if self._in_text else self._command(line.removesuffix(b"\r"))

    def _command(self, line: bytes) -> bytes:
        self._commands += 1
        if self._commands > COMMAND_LIMIT:
            return self._end(b"421 too many commands (#4.7.0)")
        verb, _, argument = line.partition(b" ")
        answer = self._VERBS.get(verb.lower())
        return answer(self, argument) if answer else _FIXED.get(verb.lower(), _UNKNOWN)

    def _helo(self, argument: bytes) -> bytes:
        self._letter = None
        self._name = argument
        return b"250 " + self._control.greeting

    def _ehlo(self, argument: bytes) -> bytes:
        self._helo(argument)
        return b"250-%s\r\n250-PIPELINING\r\n250 8BITMIME" % self._control.greeting

    def _mail(self, argument: bytes) -> bytes:
        sender = address(argument)
        if sender is None:
            return _BAD_SYNTAX
        self._letter = _Letter(sender)
        return b"250 ok"

    def _rcpt(self, argument: bytes) -> bytes:
        if not self._letter:
            return b"503 MAIL first (#5.5.1)"
        recipient = address(argument)
        if not recipient:
            return _BAD_SYNTAX
        if self._control.refuses(self._letter.sender):
            return b"553 sorry, your envelope sender is in my badmailfrom list (#5.7.1)"
        if self._relay is None and not self._control.takes(recipient):
            return b"553 sorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)"
        return _add(self._letter, recipient + (self._relay or b""))

    def _data(self, _argument: bytes) -> bytes:
        if not self._letter:
            return b"503 MAIL first (#5.5.1)"
        if not self._letter.recipients:
            return b"503 RCPT first (#5.5.1)"
        self._in_text = self._letter
        return b"354 go ahead"

    def _rset(self, _argument: bytes) -> bytes:
        self._letter = None
        return b"250 flushed"

    def _quit(self, _argument: bytes) -> bytes:
        return self._end(b"221 " + self._control.greeting)

    _VERBS: ClassVar[Mapping[bytes, Callable[["Session", bytes], bytes]]] = {
        b"helo": _helo,
        b"ehlo": _ehlo,
        b"mail": _mail,
        b"rcpt": _rcpt,
        b"data": _data,
        b"rset": _rset,
        b"quit": _quit,
    }

    def _text_line(self, letter: _Letter, line: bytes) -> bytes:
        """One line of a message. A bare LF ends the session, as in qmail: smuggled messages are made of them."""
        if not line.endswith(b"\r"):
            return self._end(b"451 bare LF, see https://cr.yp.to/docs/smtplf.html")
        if line == b".\r":
            self._letter = self._in_text = None
            return self._deliver(letter)
        plain = line[:-1].removeprefix(b".") + b"\n"
        letter.size += len(plain)
        if letter.size > self._limit:
            letter.text.clear()
        else:
            letter.text += plain
        return b""

    def _deliver(self, letter: _Letter) -> bytes:
        if letter.size > self._limit:
            return b"552 sorry, that message size exceeds my databytes limit (#5.3.4)"
        message = Message(self._name, letter.sender, tuple(letter.recipients), bytes(letter.text))
        try:
            return b"250 ok " + self._store(message)
        except OSError:
            return b"451 unable to store this message (#4.3.0)"

    def _end(self, reply: bytes) -> bytes:
        self.finished = True
        return reply


def _add(letter: _Letter, recipient: bytes) -> bytes:
    if len(letter.recipients) == RECIPIENT_LIMIT:
        return b"452 too many recipients (#4.5.3)"
    letter.recipients.append(recipient)
    return b"250 ok"


def address(argument: bytes) -> bytes | None:
    """``FROM:<address> ...`` or ``TO:address ...`` -> the address without its source route; None: there is none."""
    _, bracket, within = argument.partition(b"<")
    _, colon, after = argument.partition(b":")
    if not bracket and not colon:
        return None
    text = within.partition(b">")[0] if bracket else after.lstrip(b" ").partition(b" ")[0]
    if text.startswith(b"@"):
        text = text.partition(b":")[2]
    return text if len(text) <= ADDRESS_LIMIT else None
