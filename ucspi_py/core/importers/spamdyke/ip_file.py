"""An entry of an IP file of spamdyke -> the clients it matches (search_fs.c, sub_examine_tcprules_entry).

As sscanf reads it there: what stands behind four octets or a network does not count, and neither does a range that runs
backwards or past 255, which any octet is in.
"""

import re
from collections.abc import Iterator

from ...rules.cidr import Network
from ..imported import NAMED, Keys, Name, address, name

_OCTETS = re.compile(r"[0-9-]{1,7}(?:\.[0-9-]{1,7}){0,3}")
_MASK = re.compile(r"/([0-9]{1,3}(?:\.[0-9]{1,3}){0,3})")
_OCTET = re.compile(r"([0-9]{1,3})(?:-([0-9]{1,3}))?")
#: More rules than an entry becomes.
_MOST = 1 << 16
_ODD = "it is not what it seems: the rules say for whom spamdyke takes it"
_NOBODY = "it is no address and no network"

Range = tuple[int, int]


def read(entry: str) -> Keys:
    """Find the clients that an entry matches."""
    subject = entry.partition(":")[0]
    _, user, host = subject.rpartition("@")
    if user:
        return Keys([], read(host).around, "a rule about a user is left to you: user@1.2.3.4")
    if subject.startswith("="):
        return _named(subject[1:])
    return _addresses(subject)


def _addresses(subject: str) -> Keys:
    octets = _OCTETS.match(subject)
    if not octets:
        return Keys([], [], _NOBODY)
    mask = _MASK.match(subject, octets.end()) if octets[0].count(".") == 3 else None
    texts = octets[0].split(".")
    ranges = [one for one in map(_range, texts) if one]
    if len(ranges) < len(texts):
        return Keys([], [], _NOBODY)
    if mask:
        return _masked([low for low, _ in ranges], mask[1])
    found = _ranges(ranges)
    if not all(_is_plain(text) for text in texts):
        return Keys([], found.around, _ODD)
    return found if found.why or octets.end() >= len(subject.removesuffix(".")) else found._replace(why=_ODD)


def _range(octet: str) -> Range | None:
    """The values of an octet; None for none."""
    found = _OCTET.match(octet)
    if not found or int(found[1]) > 255:
        return None
    low, high = int(found[1]), int(found[2] or found[1])
    return (low, high) if low <= high <= 255 else (0, 255)


def _is_plain(octet: str) -> bool:
    """Whether an octet is what it seems to be."""
    found = _OCTET.fullmatch(octet)
    return found is not None and int(found[1]) <= int(found[2] or found[1]) <= 255


def _named(text: str) -> Keys:
    host = name(text) if text else NAMED
    if not host:
        return Keys([], [], "it is no name")
    found = [address(one) for one in ([host] if host.below else [host, Name(host.text, below=True)])]
    return Keys(found, found, "")


def _masked(octets: list[int], mask: str) -> Keys:
    bits = [int(part) for part in mask.split(".")]
    if len(bits) not in (1, 4) or max(bits) > (32 if len(bits) == 1 else 255):
        return Keys([], [], _NOBODY)
    number = int.from_bytes(bytes(bits), "big") if len(bits) == 4 else (1 << 32) - (1 << (32 - bits[0]))
    ones = f"{number:032b}".find("0") % 33
    base = int.from_bytes(bytes(octets), "big") >> (32 - ones) << (32 - ones)
    found = [address(Network(32, base, ones))]
    if number != (1 << 32) - (1 << (32 - ones)):
        return Keys([], found, "its mask has a hole, and rules know only networks without one")
    return Keys(found, found, "")


def _ranges(ranges: list[Range]) -> Keys:
    while ranges and ranges[-1] == (0, 255):
        ranges = ranges[:-1]
    some = ranges
    while _count(some) > _MOST:
        some = some[:-1]
    found = list(_texts(some))
    return Keys(found, found) if some == ranges else Keys([], found, "it would become too many rules")


def _count(ranges: list[Range]) -> int:
    count = 1
    for low, high in ranges:
        count *= high - low + 1
    return count


def _texts(ranges: list[Range]) -> Iterator[bytes]:
    """What the rules are about, everybody if there is no octet."""
    dot = b"" if len(ranges) in (0, 4) else b"."
    return (text + dot for text in _expanded(ranges))


def _expanded(ranges: list[Range]) -> Iterator[bytes]:
    """The addresses of a row of ranges; tcprules itself expands a single one, which the last may be."""
    if not ranges:
        yield b""
        return
    (low, high), *rest = ranges
    if not any(first < last for first, last in rest):
        octets = [b"%d" % low if low == high else b"%d-%d" % (low, high), *(b"%d" % first for first, _ in rest)]
        yield b".".join(octets)
        return
    for octet in range(low, high + 1):
        for tail in _expanded(rest):
            yield b"%d.%b" % (octet, tail)
