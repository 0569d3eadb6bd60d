"""What a request of Postfix's smtpd asks of a greylist: an attempt to deliver, or why nothing. Never answers."""

import ipaddress
from typing import NamedTuple

from ..address import canonical
from ..greylist.attempt import Attempt
from ..policy.request import SMTPD, Request
from . import loglines

#: Without these nothing can be said (postgrey, smtpd_access_policy), but they may be empty.
_NEEDED = (b"client_address", b"client_name", b"recipient", b"sender")
#: Where recipients are judged. Exim tells of no state, and asks about recipients alone.
_ASKED = (b"RCPT", b"")


class Unasked(NamedTuple):
    """Nothing is asked that a greylist could answer. line: for the log, b"" = it is not worth one."""

    line: bytes


def attempt(request: Request) -> Attempt | Unasked:
    """Read a request."""
    if request.get(b"request") != SMTPD:
        return Unasked(loglines.unrecognized(request.get(b"request")))
    if request.get(b"protocol_state") not in _ASKED:
        return Unasked(b"")
    missing = next((name for name in _NEEDED if name not in request.attributes), None)
    if missing:
        return Unasked(loglines.missing(missing))
    address = canonical_address(request.get(b"client_address"))
    if address is None:
        return Unasked(loglines.no_address(request.get(b"client_address")))
    return Attempt(
        ip=address,
        name=request.get(b"client_name"),
        helo=request.get(b"helo_name"),
        sender=request.get(b"sender"),
        recipient=request.get(b"recipient"),
    )


def canonical_address(text: bytes) -> bytes | None:
    """The one form of an address; None for what is none."""
    try:
        written = text.decode("ascii")
        ipaddress.ip_address(written)
        return canonical(written)
    except ValueError:
        return None
