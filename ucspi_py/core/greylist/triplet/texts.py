"""What a client is told, the header of a message that has waited, and the word for why: postgrey's templates filled in.

What is filled in is never read as a template again.
"""

import re
from collections.abc import Mapping

from ...text import clean
from ..attempt import Passed, Verdict

_PLACE = re.compile(rb"%(.)", re.DOTALL)


def refusal(template: bytes, seconds: int, recipient: bytes) -> bytes:
    """Fill in the text of a refusal.

    template: %s = seconds left to wait, %r = domain of the recipient; a recipient without one is all of it.
    """
    return _filled(template, {b"s": b"%d" % seconds, b"r": recipient.rpartition(b"@")[2]})


def header(template: bytes, waited: int, version: bytes, host: bytes, date: bytes) -> bytes:
    """Fill in a header, a line without its end.

    template: %t = seconds waited, %v = the version, %h = the name of the host, %d = the date (RFC 5322, 3.3).
    """
    return _filled(template, {b"t": b"%d" % waited, b"v": version, b"h": host, b"d": date})


def reason(verdict: Verdict) -> bytes:
    """Tell postgrey's word for why an attempt is let in or has to come back."""
    if isinstance(verdict, Passed):
        return verdict.reason
    return b"new" if verdict.is_new else b"early-retry (%ds missing)" % verdict.seconds


def _filled(template: bytes, values: Mapping[bytes, bytes]) -> bytes:
    return clean(_PLACE.sub(lambda place: values.get(place[1], place[0]), template))
