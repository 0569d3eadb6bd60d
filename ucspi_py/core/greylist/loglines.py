"""The exact lines about greylisting. Each function one line; never writes it."""

from ..text import clean


def store_failed(store: str, reason: str) -> bytes:
    """Report a store that cannot be asked, so that nobody is refused. store: its path or URL, without a password."""
    words = f"unable to use {store}: {reason}".encode("utf-8", "surrogateescape")
    return b"greylist: warning: %s, everybody is let in\n" % clean(words)
