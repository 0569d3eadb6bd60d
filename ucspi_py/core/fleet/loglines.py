"""The exact lines about a fleet. Each function one line; never writes it."""

from ..text import clean


def alone(store: str, reason: str) -> bytes:
    """Report a store that cannot be asked. store: its URL, without a password."""
    words = f"unable to use {store}: {reason}".encode("utf-8", "surrogateescape")
    return b"tcpserver: warning: fleet: %s, the limits of this host hold alone\n" % clean(words)
