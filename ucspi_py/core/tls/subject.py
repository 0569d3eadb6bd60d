"""The subject of a certificate, written on one line (RFC 4514). Never decodes a certificate."""

import re
from collections.abc import Sequence

#: RFC 4514, 3, by the long names of OpenSSL, which ssl.SSLSocket.getpeercert() uses; others stay long.
_SHORT = {
    "commonName": "CN",
    "localityName": "L",
    "stateOrProvinceName": "ST",
    "organizationName": "O",
    "organizationalUnitName": "OU",
    "countryName": "C",
    "streetAddress": "STREET",
    "domainComponent": "DC",
    "userId": "UID",
}
_SPECIAL = frozenset(',+"\\<>;')

#: Bytes: it stands in environments and log lines.
LIMIT = 1024

#: RFC 4514, 2: one name of a subject; a comma in it is behind a backslash.
_PART = re.compile(rb"(?:\\.|[^,+\\])+", re.DOTALL)
_COMMON_NAME, _ORGANIZATION = b"CN=", b"O="
_PAIR = re.compile(rb"\\([0-9A-Fa-f]{2}|.)", re.DOTALL)

#: As getpeercert() has it: relative names in their order, each of pairs of type and value.
Subject = Sequence[Sequence[tuple[str, str]]]


def written(subject: Subject) -> bytes:
    """Write a subject, its last relative name first, as ``CN=mail,O=Example``; no control character survives."""
    names = ("+".join(f"{_SHORT.get(kind, kind)}={_escaped(value)}" for kind, value in name) for name in subject)
    return ",".join(reversed(list(names))).encode("utf-8", "surrogateescape")[:LIMIT]


def common_name(subject: bytes) -> bytes:
    """Tell the common name of a subject as written() writes it; b"" = it has none."""
    return _named(subject, _COMMON_NAME)


def issuer_name(issuer: bytes) -> bytes:
    """Tell the common name of an issuer, or its organization (Postfix, tls_verify.c, tls_issuer_CN); b"" = neither."""
    return _named(issuer, _COMMON_NAME) or _named(issuer, _ORGANIZATION)


def _named(subject: bytes, kind: bytes) -> bytes:
    named = (part for part in _PART.findall(subject) if part.startswith(kind))
    return _PAIR.sub(_unescaped, next(named, b"").removeprefix(kind))


def _unescaped(pair: re.Match[bytes]) -> bytes:
    return bytes.fromhex(pair[1].decode("ascii")) if len(pair[1]) == 2 else pair[1]


def _escaped(value: str) -> str:
    """RFC 4514, 2.4: a space is escaped at both ends, a number sign at the beginning."""
    text = "".join(map(_character, value))
    if text.endswith(" "):
        text = text[:-1] + "\\ "
    return "\\" + text if text.startswith((" ", "#")) else text


def _character(character: str) -> str:
    if character in _SPECIAL:
        return "\\" + character
    return character if character.isprintable() else "".join(f"\\{byte:02X}" for byte in character.encode())
