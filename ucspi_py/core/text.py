"""Bytes of others made safe for a log line, an SMTP reply or a terminal. Never decides what is said."""

import re

#: tcpserver.c, safecats: so many bytes of a field stand in a line.
_FIELD_LIMIT = 100

_CONTROL = re.compile(rb"[\x00-\x1f\x7f]")
_CLEAN = bytes(byte if 32 <= byte <= 126 else ord("?") for byte in range(256))
_SAFE = bytes(byte if 33 <= byte <= 126 and byte not in b"%:" else ord("?") for byte in range(256))
#: A table for bytes.translate: what is to stand between < and > is a field of a log line, and has neither.
QUOTED = _SAFE.translate(bytes.maketrans(b"<>", b"??"))


def clean(text: bytes) -> bytes:
    """Replace bytes below 32 and above 126 by ``?``, so that no text can forge a reply or a log line.

    One byte stays one byte, as in C (rblsmtpd.c, main).
    """
    return text.translate(_CLEAN)


def has_control(text: bytes) -> bool:
    """Whether bytes below 32 or a DEL are in a text: it stands in no environment and no header."""
    return _CONTROL.search(text) is not None


def is_utf8(text: bytes) -> bool:
    """Whether bytes are UTF-8 (RFC 3629)."""
    try:
        text.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def log_field(text: bytes) -> bytes:
    """Make text a field of a log line: ``?`` for what loggers stumble over, 100 bytes and an ellipsis at most.

    Source: tcpserver.c, safecats.
    """
    safe = text[:_FIELD_LIMIT].translate(_SAFE)
    return safe + b"..." if len(text) >= _FIELD_LIMIT else safe


def shown(text: bytes) -> str:
    """Decode bytes as UTF-8 for a terminal; what cannot be decoded or printed is written as a Python escape."""
    decoded = text.decode("utf-8", "backslashreplace")
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in decoded)
