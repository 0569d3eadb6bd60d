"""What a proxy writes before all that its client says: headers of the PROXY protocol, by its specification."""

import ipaddress
import struct
from collections.abc import Sequence

SIGNATURE = bytes.fromhex("0d0a0d0a000d0a515549540a")
STREAM4, STREAM6 = 0x11, 0x21
#: Types of TLVs, and those of what PP2_TYPE_SSL contains.
AUTHORITY, CHECKSUM, NOOP, UNIQUE_ID, SSL = 0x02, 0x03, 0x04, 0x05, 0x20
VERSION, COMMON_NAME, CIPHER = 0x21, 0x22, 0x23

CLIENT, SERVICE = ("192.0.2.7", 51913), ("198.51.100.1", 25)
#: The specification's own test of a checksum within a header.
WITH_CHECKSUM = SIGNATURE + bytes.fromhex("21110013c0000207c6336401cac90019030004c2b8da62")


def line(client: tuple[str, int] = CLIENT, service: tuple[str, int] = SERVICE) -> bytes:
    """A header of version 1."""
    family = "TCP6" if ":" in client[0] else "TCP4"
    return f"PROXY {family} {client[0]} {service[0]} {client[1]} {service[1]}\r\n".encode()


def block(
    client: tuple[str, int] = CLIENT,
    service: tuple[str, int] = SERVICE,
    tlvs: Sequence[tuple[int, bytes]] = (),
) -> bytes:
    """A header of version 2."""
    ends = b"".join(ipaddress.ip_address(ip).packed for ip, _ in (client, service))
    ends += struct.pack("!HH", client[1], service[1])
    return framed(STREAM6 if ":" in client[0] else STREAM4, ends + b"".join(tlv(*one) for one in tlvs))


def framed(family: int, rest: bytes, command: int = 0x21) -> bytes:
    """A header of version 2 with anything behind its length. command: version and command."""
    return SIGNATURE + struct.pack("!BBH", command, family, len(rest)) + rest


def tlv(kind: int, value: bytes) -> bytes:
    """A type, a length, a value."""
    return struct.pack("!BH", kind, len(value)) + value


def tls(client: int, verified: int, *parts: tuple[int, bytes]) -> tuple[int, bytes]:
    """PP2_TYPE_SSL. client: bits of what it did. verified: 0 = its certificate is good, if it has shown one."""
    return SSL, struct.pack("!BL", client, verified) + b"".join(tlv(*one) for one in parts)


#: A proxy's own connection: HAProxy's health check by version 2.
LOCAL = framed(0, b"", command=0x20)
