"""A header of version 1: ``PROXY TCP4 192.0.2.7 198.51.100.1 51913 25`` and CRLF (proxy-protocol.txt, 2.1)."""

import re

from ...address import canonical
from ..connection import Endpoints
from .header import FIRST, Flaw, Header, More

BEGINNING = b"PROXY "

_END = re.compile(rb"[\r\n]")
_UNKNOWN = b"UNKNOWN"
_OCTET = rb"(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
_IPV4 = re.compile(rb"\.".join([_OCTET] * 4))
#: What inet_pton(3) may find an address in. A zone, as Python takes it (%eth0), is not of these.
_IPV6 = re.compile(rb"[0-9A-Fa-f:.]{2,45}")
_PORT = re.compile(rb"0|[1-9][0-9]{0,4}")
_LAST_PORT = 65535


def parse(data: bytes) -> Header | More | Flaw:
    """Parse a header. data: begins as one of version 1, as far as it goes."""
    end = _END.search(data, 0, FIRST)
    if end is None:
        return More(FIRST) if len(data) < FIRST else _TOO_LONG
    ending = data[end.start() : end.end() + 1]
    if ending == b"\r" and len(data) < FIRST:
        return More(FIRST)
    if end.end() >= FIRST:
        return _TOO_LONG
    if ending != b"\r\n":
        return Flaw("a line that does not end in CRLF")
    return _header(data[len(BEGINNING) : end.start()], end.end() + 1)


_TOO_LONG = Flaw(f"a line of more than {FIRST} bytes")


def _header(line: bytes, length: int) -> Header | Flaw:
    """Parse what stands between ``PROXY`` and CRLF. length: of the header."""
    family, *fields = line.split(b" ")
    if family == _UNKNOWN:
        return Header(length)
    if len(fields) != 4:
        return Flaw("a line that is not of four fields")
    address = _ADDRESSES.get(family)
    if address is None:
        return Flaw("an unknown protocol")
    remote_ip, local_ip = address(fields[0]), address(fields[1])
    if not (remote_ip and local_ip):
        return Flaw("an address that is none")
    if not (_is_port(fields[2]) and _is_port(fields[3])):
        return Flaw("a port that is none")
    return Header(length, Endpoints(local_ip, fields[3], remote_ip, fields[2]))


def _ipv4(text: bytes) -> bytes | None:
    return text if _IPV4.fullmatch(text) else None


def _ipv6(text: bytes) -> bytes | None:
    """The canonical address. HAProxy writes ``::ffff:192.0.2.7`` where only one end is IPv4."""
    if b":" not in text or not _IPV6.fullmatch(text):
        return None
    try:
        return canonical(text.decode("ascii"))
    except ValueError:
        return None


_ADDRESSES = {b"TCP4": _ipv4, b"TCP6": _ipv6}


def _is_port(text: bytes) -> bool:
    return _PORT.fullmatch(text) is not None and int(text) <= _LAST_PORT
