"""Names in a DNS packet (RFC 1035, 4.1.4). Never reads a record.

A compression pointer leads to the front, and only so many of them are followed.
"""

from typing import NamedTuple

#: The pointer to the name in the question, which is the owner of nearly every record.
_TO_QUESTION = b"\xc0\x0c"
#: RFC 1035, 2.3.4: bytes in a name.
NAME_LIMIT = 255
#: Pointers followed in one name: RFC 1035 has no limit, and the most that servers need is two or three.
_POINTER_LIMIT = 16
_PLAIN = b"abcdefghijklmnopqrstuvwxyz0123456789-_"


class Malformed(Exception):
    """A name or record runs over the end of the packet, or pointers lead nowhere."""


class _Tail(NamedTuple):
    """The rest of a name that a pointer leads to. size: its bytes. pointers: followed to it and in it.

    end: where its own labels end in the packet.
    """

    size: int
    pointers: int
    end: int


#: By the place where they begin.
Known = dict[int, _Tail]


def skip_name(packet: bytes, start: int, known: Known) -> int:
    """Find where a name ends. C passes over pointers unread; a name that leads to itself is a forged one.

    start: the position of its first byte in the packet. known: what was read of this packet's names, to be handed in
    again with its next name. Raises Malformed.
    """
    if packet.startswith(_TO_QUESTION, start):
        return start + 2
    end, target = _labels(packet, start, min(len(packet), start + NAME_LIMIT))
    size = end - start
    if target is not None:
        size += _tail(packet, start, target, known, _POINTER_LIMIT).size - 2
    if size > NAME_LIMIT:
        raise Malformed
    return end


def _tail(packet: bytes, start: int, target: int, known: Known, limit: int) -> _Tail:
    """The rest of a name, with ``limit`` pointers at most. It must lie wholly in front of ``start``.

    What many names have in common is read once, or 64 KB that lead to the same long name would be work for us and none
    for whoever sends them.
    """
    tail = known.get(target) or _read_tail(packet, start, target, known, limit)
    if tail.end > start or tail.pointers > limit:
        raise Malformed
    known[target] = tail
    return tail


def _read_tail(packet: bytes, start: int, target: int, known: Known, limit: int) -> _Tail:
    end, further = _labels(packet, target, start)
    if further is None:
        return _Tail(end - target, 1, end)
    if limit == 1:
        raise Malformed
    more = _tail(packet, target, further, known, limit - 1)
    return _Tail(end - target - 2 + more.size, 1 + more.pointers, end)


def _labels(packet: bytes, position: int, end: int) -> tuple[int, int | None]:
    """Where the labels of a name end, and where the pointer behind them leads; None = the name is over."""
    while position < end:
        length = packet[position]
        if length >= 192 and position + 1 < end:
            return position + 2, (length & 63) << 8 | packet[position + 1]
        if length >= 64:
            break
        position += 1 + length
        if not length:
            return position, None
    raise Malformed


def dotted(labels: tuple[bytes, ...]) -> bytes:
    """Join labels to a name as djb writes it (dns_dtda.c): lower case, anything odd as \\ooo, no last dot."""
    labels = labels[:-1] if labels and not labels[-1] else labels
    return b".".join(map(_escaped, labels)) or b"."


def _escaped(label: bytes) -> bytes:
    return b"".join(b"%c" % byte if byte in _PLAIN else b"\\%03o" % byte for byte in label.lower())
