"""The server's word for where a client is, where descriptor 0 is no longer the client's socket: behind TLS or a proxy.

A ticket is ``address port seconds code``; the code is an HMAC (RFC 2104) with SHA-256 of what stands before it, by a
key that only the server and the recorder have. Nobody else can make one or change it; one that falls into other hands
grants what its client could have had, and no more.
"""

import hashlib
import hmac
from typing import NamedTuple

#: Bytes that a key has at least: those of the hash.
KEY_LENGTH = 32

#: Seconds for which a ticket counts: qmail-popup gives a client 1,200 to log in.
_LIFE = 1800
#: Seconds by which a clock may have been set back meanwhile.
_AHEAD = 300


class Place(NamedTuple):
    """Where a client is. address: canonical. port: our own, to which it has come."""

    address: bytes
    port: int


def issued(key: bytes, place: Place, now: int) -> bytes:
    """Make the ticket of a client. now: seconds since 1970."""
    text = b"%s %d %d" % (*place, now)
    return text + b" " + _code(key, text)


def place_of(key: bytes, ticket: bytes, now: int) -> Place | None:
    """Tell where the client of a ticket is; None = no server of ours has issued it, or too long ago.

    now: seconds since 1970.
    """
    text, _, code = ticket.rpartition(b" ")
    if not hmac.compare_digest(_code(key, text), code):
        return None
    address, port, issue = text.split(b" ")
    return Place(address, int(port)) if -_AHEAD <= now - int(issue) <= _LIFE else None


def _code(key: bytes, text: bytes) -> bytes:
    return hmac.new(key, text, hashlib.sha256).hexdigest().encode()
