"""The interview with the zones: what to ask, and the verdict the answers give. Never sends a question.

The zones may be asked at once; they are judged in the order in which they were written (rblsmtpd.c, rbl and antirbl).
"""

from collections.abc import Sequence

from . import dns_message
from .address import reversed_name
from .dns_message import Answer, Failed, Found
from .settings import Zone
from .verdict import Accept, Refuse, Verdict

_LOOKUP_ERROR = b"temporary RBL lookup error"


def query(zone: Zone, ip: bytes) -> tuple[bytes, int] | None:
    """The name and the type to ask a zone for: TXT of a list, A of an allow-list. None where there is no address."""
    front = reversed_name(ip)
    if not front:
        return None
    return front + zone.name, dns_message.A if zone.allow else dns_message.TXT


def judge(zones: Sequence[Zone], answers: Sequence[Answer | None]) -> Verdict | None:
    """The verdict, once the answers allow one; None while an answer that could decide is still out.

    answers: one for each zone, None = not yet there. A zone that failed forbids a later 553: it might have been
    an allow-list's or a list's word that was not heard.
    """
    must_not_bounce = False
    for zone, answer in zip(zones, answers, strict=True):
        if answer is None:
            return None
        if isinstance(answer, Failed):
            must_not_bounce = True
            if zone.allow and not zone.fail_closed:
                return Accept()
            if zone.fail_closed and not zone.allow:
                return Refuse(451, _LOOKUP_ERROR)
        elif isinstance(answer, Found) and (text := b"".join(answer.records)):
            if zone.allow:
                return Accept()
            return Refuse(553 if zone.bounce and not must_not_bounce else 451, text)
    return Accept()
