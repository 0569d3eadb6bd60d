"""What a filter says to an event: a packet becomes what is done with the client or its message.

Source: Postfix, milter8.c, milter8_event().
"""

from enum import Enum

from ..smtp.reply import Reply, reply
from .failure import MilterFailed
from .packet import Packet

REJECTED = reply(550, b"5.7.1 Command rejected")
TRY_LATER = reply(451, b"4.7.1 Service unavailable - try again later")
#: smtpd.c, check_milter_reply().
SHUT_DOWN = reply(421, b"4.7.0 Server closing connection")

#: Lines of a reply, each of which has at most 512 bytes.
_LINES = 32


class Said(Enum):
    """SMFIR_: what a filter says beside a refusal and a change."""

    CONTINUE = b"c"
    ACCEPT = b"a"
    DISCARD = b"d"
    SKIP = b"s"
    PROGRESS = b"p"


_WORDS = {said.value: said for said in Said}
_REFUSALS = {b"r": REJECTED, b"t": TRY_LATER, b"4": SHUT_DOWN}
_REPLY_CODE = b"y"


def said(packet: Packet) -> Said | Reply:
    """Read what a filter says. Raises MilterFailed where it is nothing that a filter may say to an event."""
    if packet.command == _REPLY_CODE:
        return _own_reply(packet.data)
    word = _WORDS.get(packet.command) or _REFUSALS.get(packet.command)
    if word is None:
        raise MilterFailed(f"it said {packet.command!r}, which is no answer here")
    if packet.data:
        raise MilterFailed(f"it said {packet.command!r} with {len(packet.data)} bytes behind it")
    return word


def _own_reply(data: bytes) -> Reply:
    """A reply in the filter's own words: ``550 5.7.1 Text``, of several lines perhaps, % doubled."""
    lines = _undoubled(data.removesuffix(b"\0")).split(b"\r\n")
    code = lines[0][:3]
    if len(lines) > _LINES or not _is_refusal(code) or not all(_is_line(line, code) for line in lines):
        raise _malformed(data)
    if any(line[3:4] != (b" " if last else b"-") for last, line in _with_last(lines)):
        raise _malformed(data)
    return Reply(int(code), tuple(line[4:] for line in lines))


def _with_last(lines: list[bytes]) -> list[tuple[bool, bytes]]:
    return [(at == len(lines) - 1, line) for at, line in enumerate(lines)]


def _is_refusal(code: bytes) -> bool:
    return len(code) == 3 and code.isdigit() and code[:1] in (b"4", b"5")


def _is_line(line: bytes, code: bytes) -> bool:
    """Whether it has the code of all, and no other class in an enhanced one; a line has no end in it."""
    if not line.startswith(code) or len(line) < 4 or any(end in line for end in (b"\r", b"\n", b"\0")):
        return False
    digit = line[4:5]
    return not digit.isdigit() or digit == code[:1]


def _undoubled(text: bytes) -> bytes:
    """Sendmail takes the text for a format: %% is a %, and one alone is nothing (milter8.c, SMFIR_REPLYCODE)."""
    return b"%".join(part.replace(b"%", b"") for part in text.split(b"%%"))


def _malformed(data: bytes) -> MilterFailed:
    return MilterFailed(f"it has a reply that is none: {data[:100]!r}", misconfigured=True)
