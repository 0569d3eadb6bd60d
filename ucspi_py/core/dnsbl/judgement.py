"""The verdict of all zones on a client, from their findings. Never says what an answer means.

The zones may be asked at once; what they say is judged in the order in which they were written (rblsmtpd.c, rbl and
antirbl) or, with -T, by its weight.
"""

from collections.abc import Sequence

from ..smtp.verdict import Accept, Refuse, Verdict
from .answers import Clean, Failing, Finding, Listed
from .settings import DnsblSettings
from .zone import Zone

_LOOKUP_ERROR = b"temporary RBL lookup error"


def judge(settings: DnsblSettings, findings: Sequence[Finding | None]) -> Verdict | None:
    """Judge a client, once the findings allow it; None while one that could change the verdict is still out.

    findings: one for each zone, None = not yet there.
    """
    if settings.refuse_score is not None:
        return _by_weight(settings, findings)
    return _in_order(settings.zones, findings)


def _in_order(zones: Sequence[Zone], findings: Sequence[Finding | None]) -> Verdict | None:
    """djb's way. A zone that failed forbids a later 553: it might have been an allow-list that was not heard."""
    must_not_bounce = False
    for zone, finding in zip(zones, findings, strict=True):
        match finding:
            case Clean():
                continue
            case None:
                return None
            case Failing(answered=answered):
                must_not_bounce = True
                if zone.allow and not zone.fail_closed and not answered:
                    return Accept(vouched=True)
                if zone.fail_closed and not zone.allow:
                    return Refuse(451, _LOOKUP_ERROR)
            case Listed() if zone.allow:
                return Accept(vouched=True)
            case Listed(text):
                return Refuse(553 if zone.bounce and not must_not_bounce else 451, text)
    return Accept()


def _by_weight(settings: DnsblSettings, findings: Sequence[Finding | None]) -> Verdict | None:
    """Postfix's way: the weights of the zones that list the client are added up. A zone that failed weighs nothing."""
    pairs = list(zip(settings.zones, findings, strict=True))
    if any(isinstance(finding, Listed) and _is_pass(zone) for zone, finding in pairs):
        return Accept(vouched=True)
    pending = [zone for zone, finding in pairs if finding is None]
    failed = [zone for zone, finding in pairs if isinstance(finding, Failing)]
    score = score_of(settings.zones, findings)
    least, most = (_level(settings, score + change) for change in _changes(pending))
    if least != most:
        return None
    verdict: Verdict = Accept()
    if least:
        verdict = Refuse(553 if least > 1 and not failed else 451, _heaviest_text(pairs))
    elif any(zone.fail_closed for zone in failed):
        verdict = Refuse(451, _LOOKUP_ERROR)
    return None if _is_open(settings, verdict, pending) else verdict


def _is_open(settings: DnsblSettings, verdict: Verdict, pending: Sequence[Zone]) -> bool:
    """Whether a zone that is still out may change a verdict in another way than by its weight.

    It may speak for the client, who is then not watched either; or it may fail, which refuses or forbids a 553.
    """
    vouching = any(map(_is_pass, pending))
    if isinstance(verdict, Accept):
        return any(zone.fail_closed for zone in pending) or (vouching and settings.greet_seconds > 0)
    return vouching or (verdict.code == 553 and bool(pending))


def score_of(zones: Sequence[Zone], findings: Sequence[Finding | None]) -> int:
    """Add up the weights of the zones that list the client. findings: one for each zone, None = not yet there."""
    listing = (zone for zone, finding in zip(zones, findings, strict=True) if isinstance(finding, Listed))
    return sum(map(_weight, listing))


def _weight(zone: Zone) -> int:
    if zone.weight is not None:
        return zone.weight
    return 0 if zone.allow else 1


def _is_pass(zone: Zone) -> bool:
    """An -a zone without a weight lets in, whatever others say."""
    return zone.allow and zone.weight is None


def _changes(pending: Sequence[Zone]) -> tuple[int, int]:
    """By how much the zones that are still out can lower and raise the score."""
    weights = list(map(_weight, pending))
    return sum(weight for weight in weights if weight < 0), sum(weight for weight in weights if weight > 0)


def _level(settings: DnsblSettings, score: int) -> int:
    """0 = welcome, 1 = refused for now, 2 = refused for good."""
    if settings.bounce_score is not None and score >= settings.bounce_score:
        return 2
    return int(settings.refuse_score is not None and score >= settings.refuse_score)


def _heaviest_text(pairs: Sequence[tuple[Zone, Finding | None]]) -> bytes:
    texts = [(_weight(zone), finding.text) for zone, finding in pairs if isinstance(finding, Listed)]
    return max(texts, key=lambda text: text[0])[1]
