"""Whether a zone may be believed, by its test points and by what it does to our clients. Never asks and never waits.

RFC 5782, 5: every list of IPv4 addresses lists 127.0.0.2 and never 127.0.0.1.
"""

from dataclasses import dataclass

from .dns_message import Answer, Failed, Found
from .dnsbl import Failing, after_address
from .zone import Zone

LISTED_POINT, CLEAN_POINT = b"127.0.0.2", b"127.0.0.1"

#: Failed look-ups in a row after which a zone is left alone for a while.
BREAKING_POINT = 5

#: A zone that listed less than this share of the clients for long, and lists more than that now, has gone mad.
_CALM_SHARE, _MAD_SHARE = 0.5, 0.95
_CLIENTS_FOR_AN_OPINION = 100


@dataclass(frozen=True, slots=True)
class Health:
    """What is known of a zone.

    trusted: its listings count. reachable: it answers. alarm: a plain sentence that everybody should read. remark: one
    for who wants to know more. Both "" where there is nothing to say.
    """

    trusted: bool
    reachable: bool
    alarm: str = ""
    remark: str = ""


def of_test_points(zone: Zone, listed_point: Answer, clean_point: Answer) -> Health:
    """What the A records of 127.0.0.2 and 127.0.0.1 under a zone say of it.

    Of a zone without test points they say only whether it can be asked.
    """
    if isinstance(listed_point, Failed) and isinstance(clean_point, Failed):
        return Health(True, False, remark=f"it cannot be asked: {listed_point.reason}")
    if not zone.tested:
        return Health(True, True)
    for answer in (clean_point, listed_point):
        wrong = after_address(zone, answer) if isinstance(answer, Found) else None
        if isinstance(wrong, Failing):
            return Health(False, True, f"it {wrong.reason}, so it is not believed")
    if isinstance(clean_point, Found):
        return Health(False, True, "it lists 127.0.0.1, as no list may: it would list everybody, so it is not believed")
    if not isinstance(listed_point, (Found, Failed)):
        return Health(True, True, remark="it does not list its test point 127.0.0.2; does it still live?")
    return Health(True, True)


def has_gone_mad(asked_before: int, listed_before: int, asked: int, listed: int) -> bool:
    """Whether a zone that used to list some clients suddenly lists nearly all of them.

    asked_before, listed_before: in the long run. asked, listed: lately.
    """
    if asked < _CLIENTS_FOR_AN_OPINION or asked_before < _CLIENTS_FOR_AN_OPINION:
        return False
    return listed >= _MAD_SHARE * asked and listed_before <= _CALM_SHARE * asked_before
