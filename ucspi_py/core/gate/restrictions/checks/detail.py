"""Enhanced status codes (RFC 3463) at the start of a text, and which one fits what it is said of (smtpd_dsn_fix.c)."""

import re

from ..addresses.address import RECIPIENT, SENDER

_CODE = re.compile(rb"([245]\.\d{1,3}\.\d{1,3})(?:\s+|\Z)")
#: Of an address as a sender and as a recipient, by the last number of a code: what was meant of the other one.
_OF_SENDER = {b"2": b"8", b"3": b"7", b"7": b"7", b"8": b"8", b"1": b"7", b"4": b"7", b"6": b"7"}
_OF_RECIPIENT = {b"7": b"3", b"8": b"2"} | {number: number for number in (b"1", b"2", b"3", b"4", b"5", b"6")}


def split(text: bytes, default: bytes) -> tuple[bytes, bytes]:
    """Split a text into its code and the rest. default: the code of a text without one (dsn_util.c, dsn_split)."""
    text = text.lstrip()
    found = _CODE.match(text)
    return (found[1], text[found.end() :]) if found else (default, text)


def fitting(code: bytes, kind: bytes) -> bytes:
    """A code about an address, x.1.N, made one about a sender, a recipient, or something else. kind: what it is."""
    if code[1:4] != b".1.":
        return code
    number = code[4:]
    if kind == SENDER:
        number = _OF_SENDER.get(number, b"0")
    elif kind == RECIPIENT:
        number = _OF_RECIPIENT.get(number, b"0")
    else:
        return code[:2] + b"0.0"
    return code[:4] + number
