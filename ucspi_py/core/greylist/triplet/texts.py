"""What a client is told, and the header of a message that had to wait: postgrey's templates, filled in.

What is filled in is never read as a template again.
"""

import re
from collections.abc import Mapping

from ...text import clean

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


def _filled(template: bytes, values: Mapping[bytes, bytes]) -> bytes:
    return clean(_PLACE.sub(lambda place: values.get(place[1], place[0]), template))
