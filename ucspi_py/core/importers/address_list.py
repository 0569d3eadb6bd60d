"""Lists of addresses and networks, one a line, that say nothing but whom they are about -> rules source."""

import re
from collections.abc import Callable, Iterator

from .imported import Imported, Unsaid, address, network, networks_of_range

_OCTET = re.compile(r"([0-9]+)(?:-([0-9]+))?")


def import_networks(text: str, instructions: bytes) -> Imported:
    """One network, address or range ``1.2.3.0-1.2.3.255`` a line; ``#`` and ``;`` begin comments."""
    return _imported(text, re.compile(r"[#;]"), instructions, _networks)


def import_spamdyke(text: str, instructions: bytes) -> Imported:
    """An IP file of spamdyke: addresses, beginnings of them, octet ranges, networks; ``#`` in column 1 is a comment."""
    return _imported(text, re.compile(r"^#"), instructions, _spamdyke)


def _imported(text: str, comment: re.Pattern[str], instructions: bytes, read: Callable[[str], list[bytes]]) -> Imported:
    lines: dict[bytes, None] = {}
    unsaid = []
    for number, line in enumerate(text.split("\n"), 1):
        entry = comment.split(line, maxsplit=1)[0].strip()
        found = read(entry) if entry else []
        lines.update((one + b":" + instructions, None) for one in found)
        if entry and not found:
            unsaid.append(Unsaid(f"line {number}", entry, "it is no address and no network"))
    return Imported(tuple(lines), tuple(unsaid))


def _networks(entry: str) -> list[bytes]:
    found = network(entry)
    return [address(one) for one in ([found] if found else networks_of_range(entry))]


def _spamdyke(entry: str) -> list[bytes]:
    if "/" in entry:
        found = network(_without_zeros(entry))
        return [address(found)] if found else []
    octets = [_OCTET.fullmatch(octet) for octet in entry.removesuffix(".").split(".")]
    ranges = [(int(octet[1]), int(octet[2] or octet[1])) for octet in octets if octet]
    if len(ranges) < len(octets) or len(octets) > 4 or any(low > high or high > 255 for low, high in ranges):
        return []
    return [head + (b"" if len(octets) == 4 else b".") for head in _expanded(ranges)]


def _expanded(ranges: list[tuple[int, int]]) -> Iterator[bytes]:
    """The addresses of a row of ranges; tcprules itself expands a single one, which the last may be."""
    (low, high), *rest = ranges
    if not any(first < last for first, last in rest):
        octets = [b"%d" % low if low == high else b"%d-%d" % (low, high), *(b"%d" % first for first, _ in rest)]
        yield b".".join(octets)
        return
    for octet in range(low, high + 1):
        for tail in _expanded(rest):
            yield b"%d.%b" % (octet, tail)


def _without_zeros(entry: str) -> str:
    return re.sub(r"\b0+(?=[0-9])", "", entry)
