"""What the value of a header or body check says (header_checks(5); cleanup_message.c, cleanup_act)."""

import re

from ...smtp.reply import Reply, reply
from ...text import shown
from ..maps.action import QUEUE_ACTIONS, action, is_header, needs_queue
from ..restrictions.checks import detail

#: Actions, and how each is called in a line of the log; those without one are not logged.
NOTED = {
    b"REJECT": b"reject",
    b"DISCARD": b"discard",
    b"PASS": b"pass",
    b"WARN": b"warning",
    b"INFO": b"info",
    b"STRIP": b"strip",
    b"PREPEND": b"prepend",
    b"REPLACE": b"replace",
}
_SILENT = frozenset((b"IGNORE", b"DUNNO", b"OK"))
_WITH_TEXT = frozenset((b"PREPEND", b"REPLACE"))

#: A name may come of an expression.
_GROUP = re.compile(rb"\$\{[0-9]+\}")

_ONE_LINE = bytes.maketrans(b"\r\n\t", b"   ")
_REJECTED = b"message content rejected"


def flaw(value: bytes, *, of_header: bool) -> str | None:
    """Tell what is wrong with a value; None = nothing. of_header: it stands in a table of headers."""
    verb, text = action(value)
    if verb in QUEUE_ACTIONS:
        return needs_queue(verb)
    if verb not in NOTED and verb not in _SILENT:
        return f"'{shown(value)}' is no action of a header or body check"
    if verb in _WITH_TEXT and not text:
        return f"{shown(verb)} must be followed by a text"
    if verb in _WITH_TEXT and of_header and not is_header(_GROUP.sub(b"x", text)):
        return f"{shown(verb)} must be followed by a header, name: text"
    return None


def reason(text: bytes) -> bytes:
    """Complete the text of a REJECT by its code, which is 5.7.1 unless it has one of its own (cleanup_message.c)."""
    code, words = detail.split(text or _REJECTED, b"5.7.1")
    if code.startswith(b"2"):
        code = b"4" + code[1:]
    return b"%b %b" % (code, words)


def refusal(said: bytes) -> Reply:
    """Make the reply of a REJECT. said: its reason, which may hold the lines of a header."""
    return reply(550 if said.startswith(b"5") else 451, said.translate(_ONE_LINE))
