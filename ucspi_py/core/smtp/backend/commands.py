"""Commands for the backend, written anew of what was parsed. No byte of the client's own lines is passed on."""

from collections.abc import Container

from ..envelope import Envelope, Parameters
from ..path import Path

#: RFC 5321, 4.5.3.1.2: bytes of a domain; a longer name after HELO is cut.
_NAME_LIMIT = 255
_NO_NAME = bytes(byte for byte in range(256) if not 33 <= byte <= 126)
_NAME = bytes.maketrans(_NO_NAME, b"?" * len(_NO_NAME))
#: Bytes that no command has: an address with UTF-8 keeps its bytes (RFC 6531).
_CONTROLS = bytes((*range(32), 127))
_WORDS = bytes.maketrans(_CONTROLS, b"?" * len(_CONTROLS))

#: Parameters of MAIL, and the keyword of EHLO without which no server takes them (RFC 1870, 6152, 6531, 3461).
_KEYWORDS = {
    b"SIZE": b"SIZE",
    b"BODY": b"8BITMIME",
    b"SMTPUTF8": b"SMTPUTF8",
    b"RET": b"DSN",
    b"ENVID": b"DSN",
}


def hello(verb: bytes, name: bytes) -> bytes:
    """Write HELO or EHLO. name: the client's, as it was said."""
    return b"%b %b\r\n" % (verb, name[:_NAME_LIMIT].translate(_NAME))


def mail(envelope: Envelope, keywords: Container[bytes]) -> bytes:
    """Write MAIL. keywords: what the backend has announced; parameters of others are left out."""
    return _command(b"MAIL FROM:" + envelope.sender.wire + _parameters(envelope.parameters, keywords))


def rcpt(recipient: Path) -> bytes:
    """Write RCPT."""
    return _command(b"RCPT TO:" + recipient.wire)


def _parameters(parameters: Parameters, keywords: Container[bytes]) -> bytes:
    known = [(name, value) for name, value in parameters if _KEYWORDS.get(name) in keywords]
    return b"".join(b" " + name if value is None else b" %b=%b" % (name, value) for name, value in known)


def _command(words: bytes) -> bytes:
    return words.translate(_WORDS) + b"\r\n"
