"""An attempt to deliver, as greylisting by triplet sees it, and what becomes of it. Never decides."""

from typing import NamedTuple


class Attempt(NamedTuple):
    """Who wants to send to whom, as it was said.

    ip: of the client, canonical. name: its verified name, b"" or b"unknown" = it has none. helo: its name in HELO, b""
    = not known. sender: b"" = the null sender. recipient: an address.
    """

    ip: bytes
    name: bytes
    helo: bytes
    sender: bytes
    recipient: bytes


class Passed(NamedTuple):
    """It is let in.

    reason: postgrey's word for why, as in ``triplet found``. waited: seconds since the first attempt, where this is the
    first one that is let in and a header is to tell of it; None = it is not. lists_client: with it the client has
    passed often enough, and is let in at once from now on.
    """

    reason: bytes
    waited: int | None = None
    lists_client: bool = False


class Deferred(NamedTuple):
    """It has to come back. seconds: that are left to wait. is_new: it was not here before (else an early retry)."""

    seconds: int
    is_new: bool


Verdict = Passed | Deferred
