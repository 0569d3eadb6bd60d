"""The SMTP dialogue of a refused client: client bytes -> reply bytes (commands.c, rblsmtpd.c). Never touches a socket.

Every verb but six gets the refusal, so no message can ever be begun, and pipelined commands are harmless.
"""

from ..text import clean
from .line import FOREIGN_BYTES
from .verdict import Refuse

_GREETING = b"220 rblsmtpd.local\r\n"
_FINE = b"250 rblsmtpd.local\r\n"
_GOODBYE = b"221 rblsmtpd.local\r\n"
_TOO_LONG = b"500 line too long\r\n"
_TOO_MUCH = b"421 too many commands\r\n"
_NOT_SMTP = b"421 this is an SMTP server\r\n"

_FINE_VERBS = frozenset((b"helo", b"ehlo", b"mail", b"rset", b"noop"))
_KNOWN_VERBS = _FINE_VERBS | frozenset(
    (b"rcpt", b"data", b"bdat", b"auth", b"vrfy", b"expn", b"help", b"starttls", b"etrn", b"xclient")
)
#: Verbs of HTTP: the client is no mail server (Postfix, postscreen_forbidden_commands), and is left.
_FOREIGN_VERBS = frozenset((b"get", b"post", b"put", b"head", b"options", b"connect"))
_QUIT = b"quit"

#: Bytes of a line, commands and errors: Postfix's line_length_limit, postscreen_command_count_limit and
#: smtpd_soft_error_limit. C takes lines without end (and memory with them) and any number of commands.
LINE_LIMIT = 2048
COMMAND_LIMIT = 20
ERROR_LIMIT = 10

#: Verbs whose parameters are kept for the log, and the name under which they are; then bytes that are kept of each.
_QUOTED = {b"helo": b"helo", b"ehlo": b"helo", b"mail": b"mail", b"rcpt": b"rcpt"}
_QUOTE_LIMIT = 100


class RefusalDialogue:
    """The dialogue with one refused client: feed it what the client sends, send what it returns.

    refusal: the verdict. reply: its line, with the line end. finished: whether the connection is to be closed.
    """

    def __init__(self, refusal: Refuse) -> None:
        self.reply = refusal.reply + b"\r\n"
        self.finished = False
        self._said: dict[bytes, bytes] = {}
        self._rest = b""
        self._commands = self._errors = 0

    @property
    def said(self) -> dict[bytes, bytes]:
        """Quote the client's first HELO or EHLO, MAIL and RCPT, by verb (EHLO is helo, too), safe for a log line."""
        return {verb: clean(words) for verb, words in self._said.items()}

    def greeting(self) -> bytes:
        """The greeting, 220, which is sent first."""
        return _GREETING

    def dismissal(self) -> bytes:
        """The refusal, for a client that gets nothing else (-t 0); the dialogue is then finished."""
        return self._last(self.reply)

    def receive(self, data: bytes) -> bytes:
        """Read client bytes, in pieces of any size -> the replies to whole lines among them, in order."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        replies = []
        for line in lines:
            if self.finished:
                break
            replies.append(self._answer(line))
        if not self.finished and (len(self._rest) > LINE_LIMIT or self._rest.startswith(FOREIGN_BYTES)):
            replies.append(self._answer(self._rest))
        if self.finished:
            self._rest = b""
        return b"".join(replies)

    def _answer(self, line: bytes) -> bytes:
        if line.startswith(FOREIGN_BYTES):
            return self._last(_NOT_SMTP)
        if len(line) > LINE_LIMIT:
            return self._last(_TOO_LONG)
        verb, _, rest = line.removesuffix(b"\r").partition(b" ")
        verb = verb.lower()
        if verb not in _KNOWN_VERBS:
            if verb == _QUIT:
                return self._last(_GOODBYE)
            if verb in _FOREIGN_VERBS:
                return self._last(_NOT_SMTP)
            self._errors += 1
        self._commands += 1
        if self._commands > COMMAND_LIMIT or self._errors > ERROR_LIMIT:
            return self._last(_TOO_MUCH)
        if verb in _QUOTED:
            self._said.setdefault(_QUOTED[verb], rest[:_QUOTE_LIMIT])
        return _FINE if verb in _FINE_VERBS else self.reply

    def _last(self, reply: bytes) -> bytes:
        self.finished = True
        return reply
