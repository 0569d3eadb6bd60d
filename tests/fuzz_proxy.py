"""Noise for the parser of PROXY headers; see tests/fuzz.py.

No exception; only bytes up to the header's end matter; whatever comes in pieces comes to the same; never more than
4,112 bytes are asked for, and no address that is none comes out.
"""

import ipaddress
import random
from collections import Counter

from tests.support import proxying
from ucspi_py.core.client.proxy.header import FIRST, Flaw, Header, More
from ucspi_py.core.client.proxy.parse import parse

_V6 = (("2001:db8::7", 51913), ("::ffff:198.51.100.1", 25))
_TLVS = (
    (proxying.AUTHORITY, b"mx.example"),
    (proxying.UNIQUE_ID, b"id"),
    (proxying.NOOP, b"\0" * 70),
    proxying.tls(3, 0, (proxying.VERSION, b"TLSv1.3"), (proxying.COMMON_NAME, b"client")),
)
HONEST = (
    proxying.line(),
    proxying.line(*_V6),
    b"PROXY UNKNOWN ::1 ::1 1 2\r\n",
    proxying.block(),
    proxying.block(*_V6, _TLVS),
    proxying.WITH_CHECKSUM,
    proxying.LOCAL,
)
#: Bytes that mean something in a header.
_TELLING = b"\0\1\x02\x03\x0a\x0d\x10\x11\x20\x21 .:%0129fPTU\xff"
_LONGEST = 16 + 4096


def header(chance: random.Random) -> bytes:
    """One that is honest, but for some bytes that are others, more or fewer."""
    data = bytearray(chance.choice(HONEST))
    for _ in range(chance.choice((0, 1, 1, 1, 2, 3, 9))):
        at = chance.randrange(len(data) + 1)
        match chance.randrange(4):
            case 0:
                data[at : at + 1] = bytes([chance.choice(_TELLING)])
            case 1:
                data[at:at] = bytes([chance.choice(_TELLING)]) * chance.choice((1, 1, 3, 80))
            case 2:
                del data[at : at + chance.choice((1, 1, 4))]
            case _:
                data[at : at + 2] = chance.choice(data[-2:]).to_bytes(1, "big") * 2 if data else b""
    return bytes(data)


def fuzz_headers(number: int, chance: random.Random) -> Counter[str]:
    """So many headers; what became of them. Raises AssertionError with the one that was too much."""
    fates: Counter[str] = Counter()
    for _ in range(number):
        data = header(chance)
        try:
            fates[_fate(data, chance)] += 1
        except Exception as error:
            raise AssertionError(f"{data!r}") from error
    return fates


def _fate(data: bytes, chance: random.Random) -> str:
    found = parse(data)
    assert _in_pieces(data, chance) == found
    match found:
        case More(limit):
            assert len(data) < limit <= _LONGEST
            return "more"
        case Flaw(reason):
            assert reason.isascii()
            return "flaw"
        case Header(length, endpoints):
            assert parse(data[:length]) == parse(data[:length] + chance.randbytes(9)) == found
            assert isinstance(parse(data[: length - 1]), More)
            if endpoints is None:
                return "local"
            for ip in (endpoints.local_ip, endpoints.remote_ip):
                assert str(ipaddress.ip_address(ip.decode())).encode() == ip
            return "TLS" if found.tls else "header"
    raise AssertionError("nothing of all that")


def _in_pieces(data: bytes, chance: random.Random) -> Header | More | Flaw:
    """What becomes of it where the kernel gives it piece by piece, and no more than we ask for."""
    limit, there = FIRST, 0
    while True:
        there = min(len(data), there + chance.choice((1, 2, 20, 200)))
        found = parse(data[: min(there, limit)])
        if not isinstance(found, More):
            return found
        if there == len(data) and found.limit in (limit, FIRST):
            return found
        limit = found.limit
