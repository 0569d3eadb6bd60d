"""The syntax of host names and addresses as Postfix sees it (valid_hostname.c, valid_mailhost_addr.c)."""

import re
import unicodedata

_LABEL = rb"\w(?:[\w-]{0,61}\w)?"
#: With a character that is no digit: ``1.2.3.4`` and ``123`` are no names.
_NAME = re.compile(rb"(?=[\d.]*[^\d.])(?=.{1,255}\Z)%b(?:\.%b)*" % (_LABEL, _LABEL))
_OCTETS = re.compile(rb"(\d+)\.(\d+)\.(\d+)\.(\d+)")
_FIELD = re.compile(rb"[0-9a-fA-F]{0,4}")
_IPV6 = b"ipv6:"


def is_hostname(name: bytes) -> bool:
    """Whether it is the name of a host; it has no dot at its end."""
    return _NAME.fullmatch(name) is not None


def in_ascii(name: bytes) -> bytes:
    """A name as DNS has it: labels with other letters in Punycode (RFC 3492, RFC 5891, 4.4; midna_domain.c).

    What is no UTF-8, or no name, stays as it is.
    """
    if name.isascii():
        return name
    try:
        return b".".join(map(_ascii_label, name.decode("utf-8").split(".")))
    except UnicodeError:
        return name


def _ascii_label(label: str) -> bytes:
    folded = unicodedata.normalize("NFKC", label.lower())
    return folded.encode("ascii") if folded.isascii() else b"xn--" + folded.encode("punycode")


def is_ipv4(text: bytes) -> bool:
    """Whether it is an IPv4 address; of 0.0.0.0/8 only 0.0.0.0 is one. An octet may have leading zeros."""
    found = _OCTETS.fullmatch(text)
    if found is None:
        return False
    octets = [int(octet) if len(octet.lstrip(b"0")) <= 3 else 256 for octet in found.groups()]
    return max(octets) <= 255 and (octets[0] > 0 or not any(octets))


def is_ipv6(text: bytes) -> bool:
    """Whether it is an IPv6 address, by Postfix's own automaton: ``1:2:3`` is one, too."""
    head, _, last = text.rpartition(b":")
    colons = text.count(b":")
    if b"." in last:
        return 2 <= colons <= 6 and is_ipv4(last) and _are_fields(head + b":0")
    return 2 <= colons <= 7 and _are_fields(text)


def is_address(text: bytes) -> bool:
    """Whether it is an address without brackets (valid_hostaddr)."""
    return is_ipv6(text) if b":" in text else is_ipv4(text)


def mail_address(text: bytes) -> bytes | None:
    """The address that stands in brackets, ``192.0.2.1`` or ``IPv6:2001:db8::1`` (RFC 5321, 4.1.3); None = none."""
    if text[:5].lower() == _IPV6:
        return text[5:] if is_ipv6(text[5:]) else None
    return text if is_ipv4(text) else None


def is_bracketed(name: bytes) -> bool:
    """Whether it is written as an address literal, whatever stands in it."""
    return name.startswith(b"[") and name.endswith(b"]")


def without_dot(name: bytes) -> bytes:
    """A name without the one dot that ends it."""
    return name[:-1] if len(name) > 1 and name.endswith(b".") and not name.endswith(b"..") else name


def is_numeric(text: bytes) -> bool:
    """Whether there are only digits (stringops.h, alldig)."""
    return text.isdigit()


def _are_fields(text: bytes) -> bool:
    """Whether only one ``::`` has nothing between its colons, and every other field is hexadecimal."""
    if b":::" in text or text.count(b"::") > 1:
        return False
    if (text.startswith(b":") and not text.startswith(b"::")) or (text.endswith(b":") and not text.endswith(b"::")):
        return False
    return all(_FIELD.fullmatch(field) for field in text.split(b":"))
