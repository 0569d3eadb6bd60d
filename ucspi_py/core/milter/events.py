"""Events as a filter is told of them: the data of their packets (libmilter, engine.c; Postfix, milter8.c)."""

from collections.abc import Iterable

from .packet import string, strings

_UNKNOWN = b"unknown"


def connect(name: bytes, ip: bytes, port: int) -> bytes:
    """Tell of a client. name: verified, ``unknown`` = there is none, and a filter hears [IP]. port: 0 = not known."""
    family = b"6" if b":" in ip else b"4"
    shown = b"[%b]" % ip if name == _UNKNOWN else name
    return string(shown) + family + port.to_bytes(2) + string(ip)


def helo(name: bytes) -> bytes:
    """Tell of HELO or EHLO. name: as it was said."""
    return string(name)


def command(name: bytes) -> bytes:
    """Tell of a command that is none. name: as it was said."""
    return string(name)


def address(path: bytes, parameters: Iterable[tuple[bytes, bytes | None]] = ()) -> bytes:
    """Tell of MAIL or RCPT. path: with its < and >. parameters: names and values, None = it has none."""
    return strings((path, *(name if value is None else b"%b=%b" % (name, value) for name, value in parameters)))


def header(name: bytes, value: bytes, *, has_blank: bool) -> bytes:
    """Tell of a header. value: all behind the colon, lines divided by LF alone. has_blank: as of Agreed."""
    if not has_blank:
        value = value.removeprefix(b" ")
    return strings((name, value))
