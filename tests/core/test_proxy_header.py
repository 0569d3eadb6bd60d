"""Headers of the PROXY protocol: all good forms, every bad one, and what comes in pieces (ops.md, 48 to 52)."""

import socket

import pytest
from hypothesis import given
from hypothesis import strategies as some

from tests.support.proxying import (
    AUTHORITY,
    CHECKSUM,
    CIPHER,
    COMMON_NAME,
    LOCAL,
    NOOP,
    SIGNATURE,
    STREAM4,
    UNIQUE_ID,
    VERSION,
    WITH_CHECKSUM,
    block,
    framed,
    line,
    tls,
    tlv,
)
from ucspi_py.core.address import canonical
from ucspi_py.core.client.connection import Endpoints
from ucspi_py.core.client.proxy.crc32c import crc32c
from ucspi_py.core.client.proxy.header import FIRST, Flaw, Header, More
from ucspi_py.core.client.proxy.parse import parse
from ucspi_py.core.tls.facts import TlsFacts

ENDPOINTS = Endpoints(b"198.51.100.1", b"25", b"192.0.2.7", b"51913")
V6 = (("2001:db8::7", 51913), ("2001:db8::1", 25))
MAPPED = (("::ffff:192.0.2.7", 51913), ("2001:db8::1", 25))

GOOD = {
    "TCP4": (line(), ENDPOINTS),
    "TCP6": (line(*V6), Endpoints(b"2001:db8::1", b"25", b"2001:db8::7", b"51913")),
    "TCP6 in full": (
        b"PROXY TCP6 2001:0DB8:0:0:0:0:0:7 2001:db8::1 0 65535\r\n",
        Endpoints(b"2001:db8::1", b"65535", b"2001:db8::7", b"0"),
    ),
    "TCP6 with one end of IPv4": (line(*MAPPED), Endpoints(b"2001:db8::1", b"25", b"192.0.2.7", b"51913")),
    "UNKNOWN": (b"PROXY UNKNOWN\r\n", None),
    "UNKNOWN and more": (b"PROXY UNKNOWN ffff:: \0 1 2 3 4 5\r\n", None),
    "UNKNOWN, as long as a line may be": (b"PROXY UNKNOWN ".ljust(FIRST - 2, b"x") + b"\r\n", None),
    "4 over STREAM": (block(), ENDPOINTS),
    "6 over STREAM": (block(*V6), Endpoints(b"2001:db8::1", b"25", b"2001:db8::7", b"51913")),
    "6 with one end of IPv4": (block(*MAPPED), Endpoints(b"2001:db8::1", b"25", b"192.0.2.7", b"51913")),
    "a checksum": (WITH_CHECKSUM, ENDPOINTS),
    "TLVs of others": (block(tlvs=((NOOP, b""), (0x01, b"smtp"), (0x30, b"ns"), (0xEA, b"\1vpce-1"))), ENDPOINTS),
    "as many TLVs as fit": (block(tlvs=((NOOP, b"x" * (4096 - 12 - 3)),)), ENDPOINTS),
    "LOCAL": (LOCAL, None),
    "LOCAL with what is not looked at": (framed(0xFF, tlv(CHECKSUM, b"") + b"?", command=0x20), None),
}

BAD = {
    "another protocol": b"EHLO client.example\r\n",
    "TLS": b"\x16\x03\x01\x02\x00\x01",
    "lower case": b"proxy TCP4 192.0.2.7 198.51.100.1 51913 25\r\n",
    "lower case of the family": b"PROXY tcp4 192.0.2.7 198.51.100.1 51913 25\r\n",
    "no family": b"PROXY \r\n",
    "another family": b"PROXY UNIX /a /b 1 2\r\n",
    "UNKNOWN without a blank": b"PROXY UNKNOWNx\r\n",
    "two blanks": b"PROXY TCP4  192.0.2.7 198.51.100.1 51913 25\r\n",
    "a tab": b"PROXY TCP4\t192.0.2.7 198.51.100.1 51913 25\r\n",
    "a blank at the end": b"PROXY TCP4 192.0.2.7 198.51.100.1 51913 25 \r\n",
    "a field less": b"PROXY TCP4 192.0.2.7 198.51.100.1 51913\r\n",
    "a field more": b"PROXY TCP4 192.0.2.7 198.51.100.1 51913 25 1\r\n",
    "no CR": b"PROXY TCP4 192.0.2.7 198.51.100.1 51913 25\n",
    "no LF": b"PROXY TCP4 192.0.2.7 198.51.100.1 51913 25\r ",
    "CR within": b"PROXY TCP4 192.0.2.7\r198.51.100.1 51913 25\r\n",
    "a line that is too long": b"PROXY UNKNOWN ".ljust(FIRST - 1, b"x") + b"\r\n",
    "a line without end": b"PROXY TCP4 ".ljust(FIRST, b"1"),
    "IPv6 as TCP4": b"PROXY TCP4 2001:db8::7 2001:db8::1 51913 25\r\n",
    "IPv4 as TCP6": b"PROXY TCP6 192.0.2.7 198.51.100.1 51913 25\r\n",
    "a leading zero in IPv4": b"PROXY TCP4 192.0.2.07 198.51.100.1 51913 25\r\n",
    "an octet of 256": b"PROXY TCP4 192.0.2.256 198.51.100.1 51913 25\r\n",
    "three octets": b"PROXY TCP4 192.0.2 198.51.100.1 51913 25\r\n",
    "other digits": "PROXY TCP4 192.0.2.\u0667 198.51.100.1 51913 25\r\n".encode(),
    "a zone": b"PROXY TCP6 fe80::1%eth0 2001:db8::1 51913 25\r\n",
    "brackets": b"PROXY TCP6 [2001:db8::7] [2001:db8::1] 51913 25\r\n",
    "five hexadecimal digits": b"PROXY TCP6 2001:db8::00007 2001:db8::1 51913 25\r\n",
    "a port with a sign": b"PROXY TCP4 192.0.2.7 198.51.100.1 +25 25\r\n",
    "a port with an underscore": b"PROXY TCP4 192.0.2.7 198.51.100.1 2_5 25\r\n",
    "a port with a zero in front": b"PROXY TCP4 192.0.2.7 198.51.100.1 51913 025\r\n",
    "a port of 65536": b"PROXY TCP4 192.0.2.7 198.51.100.1 65536 25\r\n",
    "no port": b"PROXY TCP4 192.0.2.7 198.51.100.1  25\r\n",
    "version 1 in the block": framed(STREAM4, bytes(12), command=0x11),
    "version 3 in the block": framed(STREAM4, bytes(12), command=0x31),
    "another command": framed(STREAM4, bytes(12), command=0x22),
    "UNSPEC": framed(0x00, b""),
    "TCP of no family": framed(0x01, bytes(12)),
    "UDP": framed(0x12, bytes(12)),
    "a UNIX socket": framed(0x31, bytes(216)),
    "another family in the block": framed(0x41, bytes(216)),
    "another transport": framed(0x13, bytes(12)),
    "shorter than its addresses": framed(STREAM4, bytes(11)),
    "shorter than its addresses of IPv6": framed(0x21, bytes(35)),
    "too long": SIGNATURE + b"\x21\x11" + (4097).to_bytes(2, "big"),
    "LOCAL that is too long": SIGNATURE + b"\x20\x00" + (4097).to_bytes(2, "big"),
    "a byte behind the TLVs": block()[:14] + b"\x00\x0d" + block()[16:] + b"\x04",
    "a TLV that is longer than the header": framed(STREAM4, bytes(12) + b"\x04\x00\x02x"),
    "a wrong checksum": WITH_CHECKSUM[:-1] + b"\x63",
    "a right checksum of another header": WITH_CHECKSUM[:16] + b"\xc1" + WITH_CHECKSUM[17:],
    "a checksum of three bytes": block(tlvs=((CHECKSUM, b"abc"),)),
    "a checksum of five bytes": block(tlvs=((CHECKSUM, b"abcde"),)),
    "two checksums": block(tlvs=((CHECKSUM, b"abcd"), (CHECKSUM, b"abcd"))),
    "an authority of 256 bytes": block(tlvs=((AUTHORITY, b"x" * 256),)),
    "a unique id of 129 bytes": block(tlvs=((UNIQUE_ID, b"x" * 129),)),
    "TLS of four bytes": block(tlvs=((0x20, b"\1\0\0\0"),)),
    "TLS with a part that is too long": block(tlvs=((0x20, b"\1\0\0\0\0\x21\0\2x"),)),
}


@pytest.mark.parametrize(("header", "endpoints"), GOOD.values(), ids=GOOD)
def test_a_good_header_is_all_that_is_read(header: bytes, endpoints: Endpoints | None) -> None:
    """Whatever stands behind it is the client's, also another header, or nothing yet."""
    for behind in (b"", b"EHLO x\r\n", b"\r\n", header):
        assert parse(header + behind) == Header(len(header), endpoints)


@pytest.mark.parametrize(("header", "endpoints"), GOOD.values(), ids=GOOD)
def test_a_header_may_come_in_pieces(header: bytes, endpoints: Endpoints | None) -> None:
    """What has come is no header before the last byte; as many bytes as are asked for suffice at last."""
    limit = FIRST
    for length in range(len(header)):
        found = parse(header[:length][:limit])
        assert isinstance(found, More)
        limit = found.limit
        assert limit > length
    assert parse(header[:limit]) == Header(len(header), endpoints)


@pytest.mark.parametrize("header", BAD.values(), ids=BAD)
def test_a_bad_header_is_none(header: bytes) -> None:
    """The reason has no byte of whoever wrote it."""
    found = parse(header)

    assert isinstance(found, Flaw)
    assert found.reason.isascii()
    assert found.reason.isprintable()


def test_bytes_that_can_become_no_header_are_waited_for_no_longer() -> None:
    """A client that talks first is left at its first byte, and one with another version as soon as that is known."""
    assert isinstance(parse(b"E"), Flaw)
    assert isinstance(parse(b"PROXX"), Flaw)
    assert isinstance(parse(SIGNATURE[:-1] + b"\r"), Flaw)
    assert isinstance(parse(framed(STREAM4, b"", command=0x31)[:16]), Flaw)


def test_the_checksum_is_castagnolis() -> None:
    """The check value of RFC 3720 and of every catalogue."""
    assert crc32c(b"123456789") == 0xE3069283


@given(some.binary(max_size=60), some.integers(min_value=0), some.integers(min_value=1, max_value=255))
def test_a_header_with_a_checksum_may_not_change(text: bytes, place: int, change: int) -> None:
    """Whatever else is in it: one byte of another value is found, but for those that say where what is."""
    zeros = block(tlvs=((0xE0, text), (CHECKSUM, bytes(4))))
    header = zeros[:-4] + crc32c(zeros).to_bytes(4, "big")
    assert isinstance(parse(header), Header)

    places = [*range(16, 28), *range(31, 31 + len(text)), *range(len(header) - 4, len(header))]
    at = places[place % len(places)]
    changed = header[:at] + bytes([header[at] ^ change]) + header[at + 1 :]

    assert isinstance(parse(changed), Flaw)


@given(some.text("0123456789abcdefABCDEF:.%", max_size=45))
def test_an_address_is_one_of_inet_pton(text: str) -> None:
    """Of IPv6, in its canonical form, and of nothing else."""
    try:
        expected = canonical(socket.inet_ntop(socket.AF_INET6, socket.inet_pton(socket.AF_INET6, text)))
    except OSError:
        expected = None

    found = parse(f"PROXY TCP6 {text} ::1 1 25\r\n".encode())

    assert (found.endpoints.remote_ip if isinstance(found, Header) and found.endpoints else None) == expected


TLS = (VERSION, b"TLSv1.3"), (CIPHER, b"TLS_AES_256_GCM_SHA384"), (COMMON_NAME, b"J\xc3\xb6rg")
FACTS = TlsFacts(b"TLSv1.3", b"TLS_AES_256_GCM_SHA384", 0)


@pytest.mark.parametrize(
    ("client", "verified", "expected"),
    [
        (1, 0, FACTS),
        (1 | 2, 0, FACTS._replace(common_name=b"J\xc3\xb6rg", is_verified=True)),
        (1 | 4, 0, FACTS._replace(common_name=b"J\xc3\xb6rg", is_verified=True)),
        (1 | 2, 1, FACTS),
        (0, 0, None),
        (2, 0, None),
    ],
)
def test_the_tls_of_a_proxy_is_known(client: int, verified: int, expected: TlsFacts | None) -> None:
    """A name counts of a certificate that was shown and is good; where none was shown the result is good, too."""
    found = parse(block(tlvs=(tls(client, verified, *TLS),)))

    assert isinstance(found, Header)
    assert found.tls == expected


def test_the_name_that_a_client_has_asked_for_is_known() -> None:
    """It is outside of what says that there is TLS. Of two TLVs of a kind the first counts."""
    found = parse(block(tlvs=((AUTHORITY, b"mx.example"), tls(1, 0), (AUTHORITY, b"other.example"), tls(0, 0))))

    assert isinstance(found, Header)
    assert found.tls == TlsFacts(b"", b"", 0, server_name=b"mx.example")


@pytest.mark.parametrize("text", [b"", b"a b", b"a\nb", b"a\0", b"\xff", b"\x7f"])
def test_words_that_are_not_printable_are_none(text: bytes) -> None:
    """They would stand in an environment, and some of them are a client's."""
    parts = (VERSION, text), (CIPHER, text)
    found = parse(block(tlvs=((UNIQUE_ID, text), (AUTHORITY, text), tls(1, 0, *parts))))

    assert isinstance(found, Header)
    assert (found.unique_id, found.tls) == (b"", TlsFacts(b"", b"", 0))


def test_the_proxys_id_of_a_connection_is_known() -> None:
    """HAProxy's unique-id-format."""
    found = parse(block(tlvs=((UNIQUE_ID, b"C0000207:CAC9_C6336401:0019"),)))

    assert isinstance(found, Header)
    assert found.unique_id == b"C0000207:CAC9_C6336401:0019"
