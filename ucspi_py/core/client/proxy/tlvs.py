"""What stands behind the addresses of a header of version 2: types, lengths, values (proxy-protocol.txt, 2.2).

What we do not know is passed over, as the specification wants: NOOP, ALPN, a network namespace, those of a cloud.
"""

from typing import NamedTuple

from ...text import has_control
from ...tls.facts import TlsFacts
from .crc32c import crc32c
from .header import Flaw

_AUTHORITY, _CHECKSUM, _UNIQUE_ID, _SSL = 0x02, 0x03, 0x05, 0x20
_VERSION, _COMMON_NAME, _CIPHER = 0x21, 0x22, 0x23
#: Bytes that the specification allows, and that we allow what is handed on as text.
_LIMITS = {_AUTHORITY: 255, _UNIQUE_ID: 128}
_TEXT_LIMIT = 255

#: Of PP2_TYPE_SSL: the bits of its first byte, and the bytes before what it contains.
_SPEAKS_TLS, _SHOWED_CERTIFICATE = 0x01, 0x02 | 0x04
_SSL_FIXED = 5


class Told(NamedTuple):
    """What they say. unique_id: printable, b"" = none. tls: of the client with the proxy, None = none."""

    unique_id: bytes = b""
    tls: TlsFacts | None = None


#: What a header says that has none.
NOTHING = Told()


class _Tlv(NamedTuple):
    kind: int
    start: int
    value: bytes


def parse(header: bytes, start: int) -> Told | Flaw:
    """Parse the TLVs of a header. start: where they begin; they end with the header."""
    found = _split(header, start)
    if found is None:
        return Flaw("TLVs that do not end where the header does")
    return _checked(header, found) or _told(_first_of_each(found))


def _split(data: bytes, start: int) -> list[_Tlv] | None:
    """None where the last one does not end with the data."""
    found = []
    while start + 3 <= len(data):
        value = start + 3
        end = value + int.from_bytes(data[start + 1 : value], "big")
        found.append(_Tlv(data[start], value, data[value:end]))
        start = end
    return found if start == len(data) else None


def _first_of_each(found: list[_Tlv]) -> dict[int, bytes]:
    return {one.kind: one.value for one in reversed(found)}


def _checked(header: bytes, found: list[_Tlv]) -> Flaw | None:
    """The checksum is that of the header with zeros in its place."""
    checksums = [one for one in found if one.kind == _CHECKSUM]
    if len(checksums) > 1:
        return Flaw("two checksums")
    for _, start, value in checksums:
        if len(value) != 4:
            return Flaw("a checksum that is not of four bytes")
        if crc32c(header[:start] + bytes(4) + header[start + 4 :]) != int.from_bytes(value, "big"):
            return Flaw("a wrong checksum")
    return None


def _told(values: dict[int, bytes]) -> Told | Flaw:
    if any(len(values.get(kind, b"")) > limit for kind, limit in _LIMITS.items()):
        return Flaw("a TLV that is too long")
    tls = _tls(values[_SSL], values.get(_AUTHORITY, b"")) if _SSL in values else None
    if isinstance(tls, Flaw):
        return tls
    return Told(_word(values.get(_UNIQUE_ID, b"")), tls)


def _tls(value: bytes, authority: bytes) -> TlsFacts | Flaw | None:
    """authority: the name that the client has asked for (SNI)."""
    found = _split(value, _SSL_FIXED)
    if found is None:
        return Flaw("TLS in a TLV that does not end where its parts do")
    if not value[0] & _SPEAKS_TLS:
        return None
    parts = _first_of_each(found)
    # The result of the verification is 0 where there was no certificate, too.
    is_verified = bool(value[0] & _SHOWED_CERTIFICATE) and not any(value[1:_SSL_FIXED])
    return TlsFacts(
        protocol=_word(parts.get(_VERSION, b"")),
        cipher=_word(parts.get(_CIPHER, b"")),
        bits=0,
        server_name=_word(authority),
        common_name=_name(parts.get(_COMMON_NAME, b"")) if is_verified else b"",
        is_verified=is_verified,
    )


def _word(value: bytes) -> bytes:
    """A word of ASCII; b"" for anything else: a client may have chosen it."""
    is_one = len(value) <= _TEXT_LIMIT and all(32 < byte < 127 for byte in value)
    return value if is_one else b""


def _name(value: bytes) -> bytes:
    """What may stand in an environment; b"" for anything else."""
    return b"" if has_control(value) or len(value) > _TEXT_LIMIT else value
