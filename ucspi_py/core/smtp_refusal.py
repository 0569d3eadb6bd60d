"""The SMTP dialogue of a refused client: client bytes -> reply bytes (commands.c, rblsmtpd.c). Never touches a socket.

Every verb but six gets the refusal, so no message can ever be begun and nothing a client pipelines means anything.
"""

from .verdict import Refuse

_GREETING = b"220 rblsmtpd.local\r\n"
_FINE = b"250 rblsmtpd.local\r\n"
_GOODBYE = b"221 rblsmtpd.local\r\n"
_TOO_LONG = b"500 line too long\r\n"

_FINE_VERBS = frozenset((b"helo", b"ehlo", b"mail", b"rset", b"noop"))
_QUIT = b"quit"

#: C takes lines without end (and memory with them); Postfix's smtpd stops at 2,048 bytes too.
LINE_LIMIT = 2048


class RefusalDialogue:
    """One refused client. Feed it what the client sends, send what it returns, end when it is finished."""

    def __init__(self, refusal: Refuse) -> None:
        self.reply = refusal.reply + b"\r\n"
        self.finished = False
        self._rest = b""

    def greeting(self) -> bytes:
        """What the client reads first."""
        return _GREETING

    def receive(self, data: bytes) -> bytes:
        """Client bytes, in pieces of any size -> the replies they earn, in order."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        replies = []
        for line in lines:
            if self.finished:
                break
            replies.append(self._answer(line))
        if len(self._rest) > LINE_LIMIT and not self.finished:
            replies.append(self._answer(self._rest))
        if self.finished:
            self._rest = b""
        return b"".join(replies)

    def _answer(self, line: bytes) -> bytes:
        if len(line) > LINE_LIMIT:
            self.finished = True
            return _TOO_LONG
        verb = line.removesuffix(b"\r").partition(b" ")[0].lower()
        if verb == _QUIT:
            self.finished = True
            return _GOODBYE
        return _FINE if verb in _FINE_VERBS else self.reply
