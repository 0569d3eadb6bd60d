"""What a test of a zone shows of it: whether it answers, and whether it lists who cannot be a client. Never asks.

RFC 5782, 5: every list of IPv4 addresses lists 127.0.0.2 and never 127.0.0.1. The control address is one of
127.0.0.0/8 that is chosen at random for each test: no name server has an answer about it in its memory.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from ..dns.message import Answer, Failed, Found
from .answers import Failing, Listed, after_address
from .zone import Zone

LISTED_POINT, CLEAN_POINT = b"127.0.0.2", b"127.0.0.1"


@dataclass(frozen=True, slots=True)
class Health:
    """What a test has shown.

    failure: why nobody could say, in djb's words, "" = the zone answers. alarm: why its listings cannot count, "" =
    they can. listed_control: the control address if the zone lists it, "" = it does not. remark: what an operator may
    want to know, "" = nothing.
    """

    failure: str = ""
    alarm: str = ""
    listed_control: str = ""
    remark: str = ""

    @property
    def reachable(self) -> bool:
        """Whether the zone answers."""
        return not self.failure


def control_address(number: int) -> bytes:
    """The control address for a random number of 16 bits: 127.x.y.254."""
    return b"127.%d.%d.254" % divmod(number, 256)


def addresses(zone: Zone, control: bytes) -> tuple[bytes, ...]:
    """What a test asks a zone about: the control address, and the test points where it has them."""
    return (control, CLEAN_POINT, LISTED_POINT) if zone.tested else (control,)


def of_answers(zone: Zone, control: bytes, answers: Sequence[Answer]) -> Health:
    """What the A records of addresses() say, in that order."""
    news, points = answers[0], answers[1:]
    if isinstance(news, Failed):
        return Health(news.reason, remark=f"it cannot be asked: {news.reason}")
    listed_control = control.decode() if _lists(zone, news) else ""
    alarm = _alarm(zone, *points) if zone.tested else ""
    return Health("", alarm, listed_control, "" if alarm else _remark(zone, listed_control, answers))


def _alarm(zone: Zone, clean_point: Answer, listed_point: Answer) -> str:
    for answer in (clean_point, listed_point):
        if error := _error(zone, answer):
            return f"{error}, so it is not believed"
    if _lists(zone, clean_point):
        return "it lists 127.0.0.1, as no list may: it would list everybody, so it is not believed"
    return ""


def _remark(zone: Zone, listed_control: str, answers: Sequence[Answer]) -> str:
    if listed_control:
        return f"it lists {listed_control}, which no client has; does it list everybody?"
    if error := _error(zone, answers[0]):
        return error
    if zone.tested and not isinstance(answers[-1], Found | Failed):
        return "it does not list its test point 127.0.0.2; does it still live?"
    return ""


def _lists(zone: Zone, answer: Answer) -> bool:
    """Whether an A record lists, as far as it alone can say so."""
    return isinstance(answer, Found) and isinstance(after_address(zone, answer), Listed | None)


def _error(zone: Zone, answer: Answer) -> str:
    finding = after_address(zone, answer) if isinstance(answer, Found) else None
    return f"it {finding.reason}" if isinstance(finding, Failing) else ""
