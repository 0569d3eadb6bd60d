"""Compiled rules, good ones and damaged ones of every shape."""

import random
import struct
from collections.abc import Callable
from io import BytesIO

from ucspi_py.core.rules.djb_source import records
from ucspi_py.system.rules.checked_cdb import CheckedWriter

from .rules import Client

GOOD = b"""127.:allow,RELAYCLIENT=""
192.0.2.7:deny
192.0.2.8-20:deny,A="x"
192.0.2.:allow,RBLSMTPD="-listed"
joe@192.0.2.30:deny
=.example.org:deny
10.:deny
:deny
"""
CLIENTS = [
    Client(b"192.0.2.7"),
    Client(b"192.0.2.9"),
    Client(b"192.0.2.30", None, b"joe"),
    Client(b"192.0.2.40", b"mail.example.org"),
    Client(b"127.0.0.1"),
    Client(b"10.1.2.3"),
    Client(b"203.0.113.1", b"mail.example.org"),
    Client(b"203.0.113.1"),
]


def good() -> bytes:
    """The compiled GOOD."""
    file = BytesIO()
    writer = CheckedWriter(file)
    writer.put_all(records(BytesIO(GOOD)))
    writer.finalize()
    return file.getvalue()


def crafted(
    record: bytes,
    *,
    hashed: int = 5381,
    position: int | None = None,
    slots: int = 2,
    table: int | None = None,
    pad: int = 0,
    full: bool = False,
) -> bytes:
    """A cdb for the key b"" (hash 5381, table 5) whose one record comes last, with numbers that may be wrong.

    hashed and position go into the second slot, where the search begins, or with full into both.
    """
    start = 2048 + pad
    end = start + 16
    slot = struct.pack("<LL", hashed, end if position is None else position)
    empty = slot if full else bytes(8)
    header = [struct.pack("<LL", 2048, 0)] * 256
    header[5] = struct.pack("<LL", start if table is None else table, slots)
    return b"".join(header) + bytes(pad) + empty + slot + record


def record(value: bytes, key_size: int = 0, value_size: int | None = None) -> bytes:
    """A record for the key b"", with sizes that may be wrong."""
    return struct.pack("<LL", key_size, len(value) if value_size is None else value_size) + value


DENY = record(b"D\0")

#: Shapes that are corrupt, whoever asks.
CORRUPT: dict[str, Callable[[], bytes]] = {
    "empty": lambda: b"",
    "100 bytes": lambda: good()[:100],
    "2047 bytes": lambda: good()[:2047],
    "2048 bytes, header only": lambda: good()[:2048],
    "last byte missing": lambda: good()[:-1],
    "last slot missing": lambda: good()[:-8],
    "tables cut in the middle": lambda: good()[: -len(good()) // 8],
    "zeros": lambda: bytes(4096),
    "0xff": lambda: b"\xff" * 4096,
    "random": lambda: random.Random(3).randbytes(4096),
    "text": lambda: GOOD * 20,
    "a table at 0": lambda: crafted(DENY, table=0),
    "a table inside the header": lambda: crafted(DENY, table=2040),
    "a table past the end": lambda: crafted(DENY, table=2072),
    "a table far past the end": lambda: crafted(DENY, table=0xFFFFFFF8),
    "a table longer than the file": lambda: crafted(DENY, slots=6),
    "slots that wrap in 32 bits": lambda: crafted(DENY, slots=0xE0000016),
    "a table that wraps in 32 bits": lambda: crafted(DENY, table=0xFFFFFFF0, slots=3),
}

#: Shapes that are corrupt for those whose search leads there.
CORRUPT_FOR_SOME: dict[str, Callable[[], bytes]] = {
    "a record inside the header": lambda: crafted(DENY, position=8),
    "a record at the last byte of the header": lambda: crafted(DENY, position=2047),
    "a record past the end": lambda: crafted(DENY, position=4096),
    "a record at the end": lambda: crafted(DENY, position=2048 + 16 + len(DENY)),
    "a record that wraps in 32 bits": lambda: crafted(DENY, position=0xFFFFFFF8),
    "half a record": lambda: crafted(DENY[:7]),
    "a value cut at the end of the file": lambda: crafted(DENY[:-1]),
    "a value of which nothing is there": lambda: crafted(DENY[:8]),
    "a value one byte past the end": lambda: crafted(record(b"D\0", value_size=3)),
    "a huge value": lambda: crafted(record(b"D\0", value_size=0xFFFFFFF0)),
    "a value that wraps in 32 bits": lambda: crafted(record(b"D\0", value_size=0xFFFFFFFF)),
    "a value without its last NUL": lambda: crafted(record(b"D")),
    "a value whose last item has no end": lambda: crafted(record(b"+A=b\0D")),
}

#: Shapes that are odd, and have an answer all the same: that of C.
ANSWERED: dict[str, tuple[Callable[[], bytes], bytes]] = {
    "good": (lambda: crafted(DENY), b"deny connection\n"),
    "no records": (lambda: b"".join(struct.pack("<LL", 2048, 0) for _ in range(256)), b"allow connection\n"),
    "a value that ends with the file": (lambda: crafted(record(b"D\0")), b"deny connection\n"),
    "an unaligned table": (lambda: crafted(DENY, pad=1), b"deny connection\n"),
    "a huge key": (lambda: crafted(record(b"D\0", key_size=0xFFFFFFF0)), b"allow connection\n"),
    "a key past the end": (lambda: crafted(record(b"D\0", key_size=3)), b"allow connection\n"),
    "another hash": (lambda: crafted(DENY, hashed=5382), b"allow connection\n"),
    "a full table, found": (lambda: crafted(DENY, full=True), b"deny connection\n"),
    "a full table, not found": (lambda: crafted(record(b"D\0", key_size=1), full=True), b"allow connection\n"),
    "a full table of other hashes": (lambda: crafted(DENY, hashed=5382, full=True), b"allow connection\n"),
    "unknown items": (lambda: crafted(record(b"Zfoo\0D\0")), b"deny connection\n"),
    "a variable without a value": (lambda: crafted(record(b"+X\0")), b"allow connection\n"),
    "a variable without a name": (lambda: crafted(record(b"+=v\0")), b"allow connection\n"),
}
