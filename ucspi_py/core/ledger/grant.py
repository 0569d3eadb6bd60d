"""A grant: who may relay from an address, since when, until when. Never has a clock or a store.

Its times are those of the wall clock, which may be stepped. However it is, a grant that cannot be believed is none:
nobody relays who has not logged in within the life of a grant, but for a clock that is stepped back while one lives.
"""

from collections.abc import Iterable
from enum import StrEnum
from typing import NamedTuple

from ..text import has_control

#: Seconds by which the clocks of hosts may differ. A grant from further ahead is one of a clock that was wrong.
AHEAD = 300
#: Bytes of a field; of an address with its domain by RFC 5321, 4.5.3.1 (64 + 1 + 255).
_MOST = 320


class How(StrEnum):
    """How a user has shown who it is. login: by a service that is none of the others."""

    POP3 = "pop3"
    IMAP = "imap"
    LOGIN = "login"
    HAND = "hand"
    IMPORT = "import"


class Grant(NamedTuple):
    """One user's grant, all times in seconds since 1970.

    expires: the first second for which it is none. renewed: the last login. granted: the first one. logins: how many
    there were since. user: who has logged in, b"" = nobody knows. by: who has recorded it. relayclient: the value of
    RELAYCLIENT. channel: that of CHANNEL, b"" = none.
    """

    expires: int
    renewed: int
    granted: int
    logins: int
    how: How
    user: bytes
    by: bytes
    relayclient: bytes = b""
    channel: bytes = b""


def is_live(grant: Grant, now: int) -> bool:
    """Whether a grant means anything. now: seconds since 1970."""
    return now < grant.expires and not is_ahead(grant, now)


def is_ahead(grant: Grant, now: int) -> bool:
    """Whether a grant is of a clock that was wrong. now: seconds since 1970."""
    return grant.renewed > now + AHEAD


def speaking(grants: Iterable[Grant], now: int) -> Grant | None:
    """Find the grant that speaks for a client: the latest; None = there is none that lives. now: seconds since 1970."""
    return max((one for one in grants if is_live(one, now)), key=lambda one: one.renewed, default=None)


def field(value: bytes) -> bytes:
    """Check a text of a grant. Raises ValueError: it stands in the environment of programs, and in the log."""
    if len(value) > _MOST or has_control(value):
        raise ValueError(f"more than {_MOST} bytes, or a control character")
    return value
