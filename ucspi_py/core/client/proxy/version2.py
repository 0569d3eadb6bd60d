"""A header of version 2: a signature, a command, addresses, and TLVs behind them (proxy-protocol.txt, 2.2)."""

import ipaddress
import struct
from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

from ..connection import Endpoints
from . import tlvs
from .header import FIRST, Flaw, Header, More

SIGNATURE = bytes.fromhex("0d0a0d0a000d0a515549540a")

#: Bytes up to the length, the length included, and the longest rest that is taken: the specification's fit 536, and
#: HAProxy refuses a TLV of more than 1,024.
_FIXED, _MOST = 16, 4096
_VERSION = 2
_LOCAL, _PROXY = 0, 1


class _Family(NamedTuple):
    """How both ends are written: their addresses, then their ports. text: makes a canonical address of bytes."""

    ends: struct.Struct
    text: Callable[[bytes], bytes]


def parse(data: bytes) -> Header | More | Flaw:
    """Parse a header. data: begins as one of version 2, as far as it goes."""
    if len(data) < _FIXED:
        return More(FIRST)
    version, command = data[12] >> 4, data[12] & 15
    if version != _VERSION:
        return Flaw("an unknown version")
    if command not in (_LOCAL, _PROXY):
        return Flaw("an unknown command")
    length = _FIXED + int.from_bytes(data[14:16], "big")
    if length > _FIXED + _MOST:
        return Flaw(f"a header of more than {_FIXED + _MOST} bytes")
    if len(data) < length:
        return More(length)
    # Whatever else a header has that speaks for nobody is not looked at, not even its family.
    return Header(length) if command == _LOCAL else _proxied(data[:length])


def _proxied(header: bytes) -> Header | Flaw:
    family = _FAMILIES.get(header[13])
    if family is None:
        return Flaw("neither TCP over IPv4 nor over IPv6")
    ends, text = family
    end = _FIXED + ends.size
    if len(header) < end:
        return Flaw("a header that is shorter than its addresses")
    told = tlvs.parse(header, end)
    if isinstance(told, Flaw):
        return told
    remote_ip, local_ip, remote_port, local_port = ends.unpack_from(header, _FIXED)
    endpoints = Endpoints(text(local_ip), b"%d" % local_port, text(remote_ip), b"%d" % remote_port)
    return Header(len(header), endpoints, *told)


@lru_cache(maxsize=1024)
def _ipv4(octets: bytes) -> bytes:
    return b"%d.%d.%d.%d" % tuple(octets)


@lru_cache(maxsize=1024)
def _ipv6(octets: bytes) -> bytes:
    address = ipaddress.IPv6Address(octets)
    return str(address.ipv4_mapped or address).encode("ascii")


#: By the byte that has family and transport: AF_INET and AF_INET6, and STREAM.
_FAMILIES = {0x11: _Family(struct.Struct("!4s4sHH"), _ipv4), 0x21: _Family(struct.Struct("!16s16sHH"), _ipv6)}
