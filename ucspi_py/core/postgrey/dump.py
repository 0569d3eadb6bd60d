"""What db5.3_dump prints of postgrey's databases -> its triplets and clients, and what is neither. Never reads a file.

Source: db_dump(1), "-p"; postgrey, smtpd_access_policy.
"""

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from .questions import canonical_address

_ESCAPE = re.compile(rb"\\(\\|[0-9a-f]{2})")
_HASH = re.compile(rb"[0-9a-f]{40}")
_PAIR = re.compile(rb"([0-9]{1,10}),([0-9]{1,10})(?:,.*)?", re.DOTALL)


class KnownTriplet(NamedTuple):
    """A triplet. ip: the first address of its network. first, last: seconds since 1970."""

    ip: bytes
    sender: bytes
    recipient: bytes
    first: int
    last: int


class KnownClient(NamedTuple):
    """A client. passes: that counted. last: when the last one did, in seconds since 1970."""

    ip: bytes
    passes: int
    last: int


class Hashed(NamedTuple):
    """What was kept under --privacy: who it is about is not known."""


class Flaw(NamedTuple):
    """What cannot be taken over. line: its number. why: in words."""

    line: int
    why: str


Entry = KnownTriplet | KnownClient | Hashed | Flaw


def entries(lines: Iterable[bytes]) -> Iterator[Entry]:
    """Read the lines of one dump, or of several behind each other."""
    is_header, is_hex, is_dump = True, False, False
    key: bytes | None = None
    number = 0
    for number, line in enumerate(lines, 1):
        text = line.rstrip(b"\n")
        if is_header or text == b"DATA=END":
            is_hex = text == b"format=bytevalue" or (is_hex and text != b"format=print")
            is_header = text != b"HEADER=END"
            is_dump, key = is_dump or not is_header, None
        elif not text.startswith(b" "):
            yield Flaw(number, "is no line of a dump")
        elif key is None:
            key = text[1:]
        else:
            yield _entry(number, _written(key, is_hex=is_hex), _written(text[1:], is_hex=is_hex))
            key = None
    if not is_dump:
        yield Flaw(number, "there is no dump: db5.3_dump -p makes one")
    elif not is_header:
        yield Flaw(number, "the dump is cut off")


def _written(text: bytes, *, is_hex: bool) -> bytes | None:
    """The bytes that a line stands for; None = it stands for none."""
    if not is_hex:
        return _ESCAPE.sub(lambda found: b"\\" if found[1] == b"\\" else bytes.fromhex(found[1].decode()), text)
    try:
        return bytes.fromhex(text.decode("ascii"))
    except ValueError:
        return None


def _entry(line: int, key: bytes | None, value: bytes | None) -> Entry:
    pair = _PAIR.fullmatch(value or b"")
    if key is None or pair is None:
        return Flaw(line, "has no two numbers with a comma between them")
    if _HASH.fullmatch(key):
        return Hashed()
    who, slash, rest = key.partition(b"/")
    sender, other, recipient = rest.partition(b"/")
    ip = canonical_address(who)
    if ip is None or (slash and not other):
        return Flaw(line, "is about neither a triplet nor a client")
    first, last = int(pair[1]), int(pair[2])
    return KnownTriplet(ip, sender, recipient, first, last) if slash else KnownClient(ip, first, last)
