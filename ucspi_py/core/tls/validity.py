"""How long a certificate is valid (RFC 5280, 4.1.2.5). Never reads a clock."""

import binascii
import datetime
import re
from collections.abc import Iterator

_FIRST = re.compile(rb"-----BEGIN CERTIFICATE-----(.*?)-----END CERTIFICATE-----", re.DOTALL)
_SEQUENCE, _VERSION, _UTC_TIME, _GENERALIZED_TIME = 0x30, 0xA0, 0x17, 0x18


def not_after(pem: bytes) -> datetime.datetime | None:
    """Find when the first certificate of a PEM ends to be valid; None where that cannot be read."""
    found = _FIRST.search(pem)
    if not found:
        return None
    try:
        return _not_after(binascii.a2b_base64(found[1]))
    except (ValueError, IndexError, StopIteration):
        return None


def days_left(end: datetime.datetime, now: datetime.datetime) -> int:
    """Count the whole days that are left; below 0 once it is over."""
    return (end - now).days


def _not_after(der: bytes) -> datetime.datetime | None:
    """Certificate, TBSCertificate: [0] version, serial number, signature, issuer, validity (RFC 5280, 4.1)."""
    fields = _inside(_inside_first(_inside_first(der)))
    kind, _ = next(fields)
    for _ in range(3 if kind == _VERSION else 2):
        next(fields)
    _, validity = next(fields)
    times = _inside(validity)
    next(times)
    return _time(*next(times))


def _inside_first(der: bytes) -> bytes:
    kind, body = next(_inside(der))
    if kind != _SEQUENCE:
        raise ValueError
    return body


def _inside(der: bytes) -> Iterator[tuple[int, bytes]]:
    """Tag and content of each element (X.690, 8.1)."""
    while der:
        size, start = der[1], 2
        if size & 0x80:
            start += size & 0x7F
            size = int.from_bytes(der[2:start])
        yield der[0], der[start : start + size]
        der = der[start + size :]


def _time(kind: int, text: bytes) -> datetime.datetime:
    """UTCTime until 2049, GeneralizedTime from 2050; always of Greenwich, and with seconds."""
    form = {_UTC_TIME: "%y%m%d%H%M%SZ", _GENERALIZED_TIME: "%Y%m%d%H%M%SZ"}.get(kind, "")
    moment = datetime.datetime.strptime(text.decode("ascii"), form).replace(tzinfo=datetime.UTC)
    # RFC 5280, 4.1.2.5.1: two digits from 50 on are of the 20th century; strptime(3) begins it at 69.
    return moment.replace(year=moment.year - 100) if kind == _UTC_TIME and moment.year >= 2050 else moment
