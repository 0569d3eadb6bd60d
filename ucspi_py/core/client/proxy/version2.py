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
#: Behind the signature: version and command, family and transport, the length of the rest.
_FIELDS = struct.Struct("!12xBBH")
_VERSION = 2
_LOCAL, _PROXY = 0x20, 0x21


class _Family(NamedTuple):
    """How both ends are written: their addresses, then their ports. text: makes a canonical address of bytes."""

    ends: struct.Struct
    text: Callable[[bytes], bytes]


def parse(data: bytes) -> Header | More | Flaw:
    """Parse a header. data: begins as one of version 2, as far as it goes."""
    if len(data) < _FIXED:
        return More(FIRST)
    command, family, rest = _FIELDS.unpack_from(data)
    if command not in (_LOCAL, _PROXY):
        return Flaw("an unknown version" if command >> 4 != _VERSION else "an unknown command")
    if rest > _MOST:
        return Flaw(f"a header of more than {_FIXED + _MOST} bytes")
    length = _FIXED + rest
    if len(data) < length:
        return More(length)
    if command == _LOCAL:
        return Header(length)  # whatever else it has is not looked at, not even its family
    ends = _FAMILIES.get(family)
    return _proxied(data, length, ends) if ends else Flaw("neither TCP over IPv4 nor over IPv6")


def _proxied(data: bytes, length: int, family: _Family) -> Header | Flaw:
    ends, text = family
    end = _FIXED + ends.size
    if length < end:
        return Flaw("a header that is shorter than its addresses")
    told = tlvs.parse(data[:length], end) if length > end else tlvs.NOTHING
    if isinstance(told, Flaw):
        return told
    remote_ip, local_ip, remote_port, local_port = ends.unpack_from(data, _FIXED)
    endpoints = Endpoints(text(local_ip), b"%d" % local_port, text(remote_ip), b"%d" % remote_port)
    return Header(length, endpoints, told.unique_id, told.tls)


@lru_cache(maxsize=1024)
def _ipv4(octets: bytes) -> bytes:
    return b"%d.%d.%d.%d" % tuple(octets)


@lru_cache(maxsize=1024)
def _ipv6(octets: bytes) -> bytes:
    address = ipaddress.IPv6Address(octets)
    return str(address.ipv4_mapped or address).encode("ascii")


#: By the byte that has family and transport: AF_INET and AF_INET6, and STREAM.
_FAMILIES = {0x11: _Family(struct.Struct("!4s4sHH"), _ipv4), 0x21: _Family(struct.Struct("!16s16sHH"), _ipv6)}
