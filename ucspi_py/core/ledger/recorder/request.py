"""What is said on the recorder's socket: one packet of at most 1,024 bytes each way, and a descriptor with the first.

A request is the version, then its fields, each ended by a NUL. An answer is one letter and, but for a grant, why not.
"""

import enum
from typing import NamedTuple

from ...text import has_control

#: Bytes of a packet, and of the text of an answer.
LIMIT = 1024
_REASON_LIMIT = 200
_VERSION = b"1"
#: Bytes that each field may have, in the order of Request.
_FIELD_LIMITS = (64, 255, 16, 9, 128)


class Request(NamedTuple):
    """A login that is to be recorded, in the words of whoever asks.

    address: of the client; b"" = whoever asks does not know it. user: who has logged in, b"" = not known. protocol:
    ``pop3`` or ``imap``, b"" = not known. seconds: that the grant is to last. ticket: of the server, b"" = none.
    """

    address: bytes
    user: bytes
    protocol: bytes
    seconds: int
    ticket: bytes = b""


class Standing(enum.Enum):
    """GRANTED: the client may relay from now on. REFUSED: it may not. FAILED: nobody could tell, or write it down."""

    GRANTED = b"Y"
    REFUSED = b"N"
    FAILED = b"T"


class Reply(NamedTuple):
    """An answer. reason: why it is no grant."""

    standing: Standing
    reason: str = ""


def packed(request: Request) -> bytes:
    """Make a packet of a request. Raises ValueError for a field that is too long or has a control character."""
    fields = (request.address, request.user, request.protocol, b"%d" % request.seconds, request.ticket)
    for field, limit in zip(fields, _FIELD_LIMITS, strict=True):
        _check(field, limit)
    return _VERSION + b"".join(field + b"\0" for field in fields)


def parsed(packet: bytes) -> Request:
    """Parse a packet. Raises ValueError for any that packed() does not make."""
    if packet[:1] != _VERSION or packet[-1:] != b"\0" or len(packet) > LIMIT:
        raise ValueError("no request")
    fields = packet[1:-1].split(b"\0")
    if len(fields) != len(_FIELD_LIMITS):
        raise ValueError("no request")
    for field, limit in zip(fields, _FIELD_LIMITS, strict=True):
        _check(field, limit)
    address, user, protocol, seconds, ticket = fields
    if not seconds.isdigit():
        raise ValueError("no request")
    return Request(address, user, protocol, int(seconds), ticket)


def answer(reply: Reply) -> bytes:
    """Make a packet of an answer."""
    return reply.standing.value + reply.reason.encode("ascii", "replace")[:_REASON_LIMIT]


def understood(packet: bytes) -> Reply:
    """Parse an answer. Raises ValueError for what is none."""
    if not packet:
        raise ValueError("it hangs up")
    return Reply(Standing(packet[:1]), packet[1 : _REASON_LIMIT + 1].decode("ascii", "replace"))


def _check(field: bytes, limit: int) -> None:
    if len(field) > limit or has_control(field):
        raise ValueError("a field is too long, or has a control character")
