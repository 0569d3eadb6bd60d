"""DNS messages (RFC 1035, 4): build a query, read A, AAAA, PTR, TXT, MX and NS answers. Never sends, never waits.

Everything is bounded by the packet.
"""

import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from .name import NAME_LIMIT, Known, Malformed, skip_name

#: Record types and the class Internet: RFC 1035, 3.2.2 and 3.2.4, and RFC 3596, 2.1.
A, NS, PTR, MX, TXT, AAAA = 1, 2, 12, 15, 16, 28
_SOA = 6
_ADDRESS_SIZES = {A: 4, AAAA: 16}
#: Bytes before the name of a server (RFC 1035, 3.3.9 and 3.3.11), and how many such names are read of one answer.
_BEFORE_NAME, _NAMES_LIMIT = {NS: 0, MX: 2}, 100
_IN = 1

#: RFC 1035, 4.2.1: what fits into UDP without EDNS; C ignores longer packets.
UDP_LIMIT = 512

_HEADER = struct.Struct("!HHHHHH")
_TYPE_AND_CLASS = struct.Struct("!HH")
_RECORD = struct.Struct("!HHLH")
#: RFC 1035, 4.1.1: bits of the second word of the header, and values of its last four.
_RESPONSE, _TRUNCATED, _RECURSION_DESIRED = 0x8000, 0x0200, 0x0100
_NOERROR, _SERVFAIL, _NXDOMAIN = 0, 2, 3

#: What stands before a label: its length, below 64.
_COUNTS = tuple(bytes((length,)) for length in range(64))
#: RFC 2181, 8: seconds from which a TTL is a mistake and means 0.
_TTL_LIMIT = 1 << 31


@dataclass(frozen=True, slots=True)
class Found:
    """The name has such records: 4 or 16 bytes of A or AAAA, the joined strings of TXT, the dotted name of PTR, of
    MX and of NS.

    ttl: seconds for which they may be remembered.
    """

    records: tuple[bytes, ...]
    ttl: int = 0


@dataclass(frozen=True, slots=True)
class Absent:
    """The name has no such records (RFC 2308). exists: it may have others. ttl: seconds to remember that."""

    exists: bool = False
    ttl: int = 0


@dataclass(frozen=True, slots=True)
class Failed:
    """No server has answered the question.

    reason: in djb's words for errno. is_refusal: a server has said so, and not that it fails for now (SERVFAIL).
    """

    reason: str
    is_refusal: bool = field(default=False, compare=False)


Answer = Found | Absent | Failed

TIMED_OUT = Failed("timed out")
UNREACHABLE = Failed("input/output error")
PROTOCOL_ERROR = Failed("protocol error")
_FAILS_FOR_NOW = Failed("temporary failure")
_REFUSED = Failed("temporary failure", is_refusal=True)

#: Is called with the answer to a question, once.
AnswerCallback = Callable[[Answer], None]
#: ask(dotted name, type, deadline, callback): queries the name servers. The deadline is in seconds of the monotonic
#: clock, which is the loop's too; the callback may be called before ask returns.
Ask = Callable[[bytes, int, float, AnswerCallback], None]


class Question(NamedTuple):
    """section: the question as it stands in a packet, which an answer must echo. kind: the record type, A to AAAA."""

    section: bytes
    kind: int

    def packet(self, number: int) -> bytes:
        """Build the query packet. number: its id, 0 to 65535."""
        return _HEADER.pack(number, _RECURSION_DESIRED, 1, 0, 0, 0) + self.section


#: name_at(packet, position): the dotted text of a name that has been found sound, compressed or not.
NameAt = Callable[[bytes, int], bytes]


class Truncated(Exception):
    """The answer did not fit: ask again over TCP."""


def question(name: bytes, kind: int) -> Question:
    """Build the question for the records of a dotted name.

    name: empty labels are passed over (dns_dfd.c). kind: the record type. Raises ValueError for a label of more than 63
    bytes or a name of more than 255 (RFC 1035, 2.3.4).
    """
    try:
        wire = b"".join([_COUNTS[len(label)] + label for label in name.split(b".") if label]) + b"\0"
    except IndexError:
        raise ValueError("label too long") from None
    if len(wire) > NAME_LIMIT:
        raise ValueError("name too long")
    return Question(wire + _TYPE_AND_CLASS.pack(kind, _IN), kind)


def is_answer(packet: bytes, number: int, asked: Question) -> bool:
    """Whether a packet answers this question; else it is to be ignored (dns_transmit.c, irrelevant).

    number: the id of the query, 0 to 65535.
    """
    if len(packet) < _HEADER.size:
        return False
    packet_number, flags, questions, _, _, _ = _HEADER.unpack_from(packet)
    if packet_number != number or not flags & _RESPONSE or questions != 1:
        return False
    section = asked.section
    if packet.startswith(section, _HEADER.size):
        return True
    # Label lengths are below 64, so lower() touches letters only; servers may mix the case.
    return packet[_HEADER.size : _HEADER.size + len(section)].lower() == section.lower()


def answer(packet: bytes, asked: Question, name_at: NameAt) -> Answer:
    """Read the records asked for from a packet for which is_answer() holds. A malformed packet is PROTOCOL_ERROR.

    name_at: reads a name in a record. Of several PTR records the first one counts (dns_name.c), the others are not
    looked at.
    Raises Truncated where the server cut the answer short.
    """
    _, flags, _, answers, authorities, _ = _HEADER.unpack_from(packet)
    if flags & _TRUNCATED:
        raise Truncated
    if flags & 15 not in (_NOERROR, _NXDOMAIN):
        return _FAILS_FOR_NOW if flags & 15 == _SERVFAIL else _REFUSED
    try:
        position = _HEADER.size + len(asked.section)
        known: Known = {}
        found: list[bytes] = []
        least_ttl = _TTL_LIMIT
        for _ in range(answers):
            kind, record_class, ttl, start, end = _record(packet, position, known)
            if kind == asked.kind and record_class == _IN:
                if kind == PTR:
                    skip_name(packet, start, known)
                    return Found((name_at(packet, start),), ttl)
                least_ttl = min(least_ttl, ttl)
                if kind in _BEFORE_NAME:
                    if len(found) < _NAMES_LIMIT:
                        found.append(_server(packet, start + _BEFORE_NAME[kind], known, name_at))
                elif end - start == _ADDRESS_SIZES.get(kind, end - start):
                    found.append(_strings(packet[start:end]) if kind == TXT else packet[start:end])
            position = end
        if found:
            return Found(tuple(found), least_ttl)
        return Absent(flags & 15 == _NOERROR, _negative_ttl(packet, position, known) if authorities else 0)
    except Malformed:
        return PROTOCOL_ERROR


def _record(packet: bytes, position: int, known: Known) -> tuple[int, int, int, int, int]:
    """Type, class and TTL of one record, and where its data starts and ends.

    Whatever its owner: an alias is the server's to follow (dns_txt.c).
    """
    position = skip_name(packet, position, known)
    start = position + _RECORD.size
    if start > len(packet):
        raise Malformed
    kind, record_class, ttl, size = _RECORD.unpack_from(packet, position)
    if start + size > len(packet):
        raise Malformed
    return kind, record_class, ttl if ttl < _TTL_LIMIT else 0, start, start + size


def _server(packet: bytes, position: int, known: Known, name_at: NameAt) -> bytes:
    skip_name(packet, position, known)
    return name_at(packet, position)


def _negative_ttl(packet: bytes, position: int, known: Known) -> int:
    """Seconds for which there are no such records: the SOA record's own (RFC 2308, 5)."""
    kind, _, ttl, _, _ = _record(packet, position, known)
    return ttl if kind == _SOA else 0


def _strings(data: bytes) -> bytes:
    """All strings of one TXT record, joined; a last one that claims too much gives what is there (dns_txt.c)."""
    strings = []
    position = 0
    while position < len(data):
        length = data[position]
        strings.append(data[position + 1 : position + 1 + length])
        position += 1 + length
    return b"".join(strings)
