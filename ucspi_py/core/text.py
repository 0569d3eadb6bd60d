"""Bytes of others made safe for a log line, an SMTP reply or a terminal. Never decides what is said."""

_CLEAN = bytes(byte if 32 <= byte <= 126 else ord("?") for byte in range(256))


def clean(text: bytes) -> bytes:
    """Replace bytes below 32 and above 126 by ``?``, so that no text can forge a reply or a log line.

    One byte stays one byte, as in C (rblsmtpd.c, main).
    """
    return text.translate(_CLEAN)


def shown(text: bytes) -> str:
    """Decode bytes as UTF-8 for a terminal; what cannot be decoded or printed is written as a Python escape."""
    decoded = text.decode("utf-8", "backslashreplace")
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in decoded)
