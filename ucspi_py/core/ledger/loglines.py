"""The exact lines about the ledger. Each function one line; never writes it."""

from functools import partial

from ..log.event import with_event
from ..text import clean, log_field
from . import logevents
from .grant import Grant


def store_failed(store: str, reason: str) -> bytes:
    """Report a store that cannot be asked, so that no grant counts. store: its path or URL, without a password."""
    words = f"unable to use {store}: {reason}".encode("utf-8", "surrogateescape")
    return b"relay: warning: %s, no grant counts\n" % clean(words)


def relays(ip: bytes, pid: int, grant: Grant, now: int) -> bytes:
    """Report a client that may relay by a grant. pid: process id. now: seconds since 1970."""
    user, how, left = _user(grant.user), grant.how.encode("ascii"), grant.expires - now
    line = b"relay: %s pid %d: granted to %s by %s, for %d more seconds\n" % (clean(ip), pid, user, how, left)
    return with_event(line, partial(logevents.relays, ip, pid, grant, now))


def is_ahead(ip: bytes, pid: int, grant: Grant) -> bytes:
    """Report a grant that does not count, since it is of a clock that was wrong, or ours is. pid: process id."""
    words = b"the grant to %s is of the future: is the clock right?" % _user(grant.user)
    return b"relay: warning: %s pid %d: %s\n" % (clean(ip), pid, words)


def _user(user: bytes) -> bytes:
    return log_field(user) or b"-"
