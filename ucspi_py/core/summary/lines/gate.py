"""The lines of the gate behind ``smtpgate[ID]: ``, and postgrey's -> events.

As ``loglines.py`` in core/gate, core/gate/logins and core/postgrey write them. What a client says is a field without a
blank, < or > in them.
"""

import re

from ..events import (
    Came,
    Checked,
    Event,
    Left,
    LoggedIn,
    LoginFailed,
    Message,
    Rejected,
    Spared,
    TurnedAway,
    Visited,
    Warned,
)

_WHO = rb"[^ \[\]]*\[([^ \[\]]{1,45})\]"
_NOQUEUE = re.compile(rb"NOQUEUE: ([\w-]+): ([A-Z-]+) from %b: (.*)" % _WHO)
_CHECKED = re.compile(rb"NOQUEUE: ([\w-]+): ([\w-]+) [^\[]* from %b; .*" % _WHO)
_MESSAGE = re.compile(rb"message from %b: ([245]\d\d) ?(.*)" % _WHO)
_CLIENT = re.compile(rb"client=%b, sasl_method=(\S+), sasl_username=(\S+)" % _WHO)
_LOGIN = re.compile(rb"warning: %b: SASL \S+ authentication failed: .*, sasl_username=(\S*)" % _WHO)
#: What a warning says of its client alone: others have the rest in common with it.
_OWN = re.compile(rb"^%b: (?=SASL )| from %b|(?<=SASL )\S+ |, sasl_username=\S*$" % (_WHO, _WHO))
_TLS = re.compile(rb"SSL_accept error from %b: (.*)" % _WHO)
_LEFT = re.compile(
    rb"(lost connection|timeout|too many errors|improper command pipelining|non-SMTP command) after "
    rb"[A-Z-]+(?: \(\d+ bytes\))? from %b(?:: .*)?" % _WHO
)
_REPLY = re.compile(rb"([245]\d\d) ?(.*)")
_ACTION = re.compile(
    rb"(?:\w+: )?action=([\w-]+), reason=([^,;(]{0,80})(?: \(\d+s missing\))?(?:, delay=(\d{1,10}))?.*"
)
#: What begins the words about the transaction.
_ABOUT = (b"; from=<", b"; proto=")


def gate_event(_program: bytes, text: bytes) -> Event | None:
    """Read a line; None where it tells nothing that is counted."""
    if text.startswith(b"NOQUEUE: "):
        return _noqueue(text)
    if text.startswith(b"message from "):
        return _message(text)
    if text.startswith(b"warning: "):
        found = _LOGIN.fullmatch(text)
        return LoginFailed(found[1], found[2]) if found else Warned(_OWN.sub(b"", text[9:]))
    if text.startswith(b"client="):
        found = _CLIENT.fullmatch(text)
        return LoggedIn(found[1], found[3], found[2]) if found else None
    if found := _LEFT.fullmatch(text):
        return Left(found[2], found[1])
    found = _TLS.fullmatch(text)
    return TurnedAway(found[1], b"tls", found[2]) if found else None


def visit(text: bytes) -> Visited | None:
    """Read what postgrey says of an attempt: ``action=greylist, reason=new``."""
    found = _ACTION.fullmatch(text)
    if not found:
        return None
    delay = None if found[3] is None else int(found[3])
    if found[1] == b"pass":
        return Visited(Came.KNOWN if delay is None else Came.PASSED, found[2], delay)
    if found[1] == b"greylist":
        return Visited(Came.NEW if found[2] == b"new" else Came.EARLY, found[2].strip())
    return None


def _noqueue(text: bytes) -> Event | None:
    found = _NOQUEUE.fullmatch(text)
    if not found:
        checked = _CHECKED.fullmatch(text)
        return Checked(checked[1], checked[2]) if checked else None
    kind, stage, ip, rest = found.groups()
    said = _before(rest, _ABOUT)
    if kind == b"info":
        return visit(said)
    reply = _REPLY.fullmatch(said)
    if kind == b"reject_warning":
        return Spared(ip, reply[2] if reply else said)
    if kind.startswith(b"milter-") and (kind != b"milter-reject" or stage == b"END-OF-MESSAGE"):
        return Checked(kind, stage)
    if kind in (b"reject", b"milter-reject") and reply:
        return Rejected(ip, stage, int(reply[1]), reply[2])
    return None


def _message(text: bytes) -> Event | None:
    found = _MESSAGE.fullmatch(text)
    if not found:
        return None
    reason, _, fields = found[3].rpartition(b"; from=<")
    named = dict(word.split(b"=", 1) for word in fields.split(b" ") if b"=" in word)
    return Message(
        found[1],
        int(found[2]),
        reason,
        _number(named.get(b"size")),
        _number(named.get(b"nrcpt")),
        named.get(b"relay") == b"yes",
        named.get(b"sasl_username", b""),
        named.get(b"restriction", b""),
    )


def _before(text: bytes, marks: tuple[bytes, ...]) -> bytes:
    for mark in marks:
        begin, found, _ = text.partition(mark)
        if found:
            return begin
    return text


def _number(text: bytes | None) -> int:
    return int(text) if text and text.isdigit() and len(text) < 19 else 0
