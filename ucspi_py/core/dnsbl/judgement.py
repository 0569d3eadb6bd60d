"""The zones' say: what to ask, what an answer means, and the verdict of all. Never sends a question.

The zones may be asked at once; what they say is judged in the order in which they were written (rblsmtpd.c, rbl and
antirbl) or, with -T, by its weight.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from ..address import is_ipv6, is_private, reversed_name
from ..dns.message import Answer, Failed, Found
from ..smtp.verdict import TEXT_LIMIT, Accept, Refuse, Verdict
from .settings import DnsblSettings
from .zone import Zone

_LOOKUP_ERROR = b"temporary RBL lookup error"
_NO_TEXT = b"%s is listed in %s"

_LOOPBACK = 127
#: RFC 5782, 2.1: not to be used as an answer; it is what resolvers and parked names answer. Said of everybody.
_NEVER_LISTED = bytes((127, 0, 0, 1))
#: What Spamhaus and others answer to who must not ask: open resolvers, too many questions, a mistyped zone.
_ERROR_NETWORK = bytes((127, 255, 255))
#: What dnswl.org answers about everybody to who asks too much.
_ALLOW_ERROR = bytes((127, 0, 0, 255))


@dataclass(frozen=True, slots=True)
class Listed:
    """The zone lists the client. text: the words for the reply, 200 bytes at most. code: the A record, b"" = none."""

    text: bytes
    code: bytes


@dataclass(frozen=True, slots=True)
class Clean:
    """The zone does not list the client, or was not asked."""


@dataclass(frozen=True, slots=True)
class Failing:
    """The zone cannot be believed or was not to be reached.

    reason: in plain words. answered: it did answer, but with an error; an allow-list that does so speaks for nobody.
    """

    reason: str
    answered: bool = False


Finding = Listed | Clean | Failing

CLEAN = Clean()


def query(zone: Zone, ip: bytes, *, ask_private: bool) -> bytes | None:
    """The name to ask a zone about; None where it is not to be asked: no address, a private one, IPv6 unknown to it."""
    if is_ipv6(ip) and not zone.ipv6:
        return None
    front = reversed_name(ip)
    if not front or (not ask_private and is_private(ip)):
        return None
    return front + zone.name


def after_address(zone: Zone, answer: Answer) -> Finding | None:
    """What the A records mean; None where the TXT record has still to be asked for.

    A name that does not exist settles everything. One that exists without an A record may have a TXT record.
    """
    if isinstance(answer, Failed):
        return Failing(answer.reason)
    if isinstance(answer, Found):
        error = next((address for address in answer.records if _is_error(zone, address)), None)
        if error is not None:
            return Failing(f"answers {dotted(error)}, which is an error and lists nobody", answered=True)
        code = next(filter(zone.counts, answer.records), None)
        if code is None:
            return CLEAN
        return Listed(b"", code) if zone.allow else None
    return CLEAN if zone.address_lists or not answer.exists else None


def after_text(zone: Zone, ip: bytes, address: Answer, answer: Answer) -> Finding:
    """What A and TXT records mean together, for a zone that after_address left open.

    Of a text no more is kept than a reply can hold: findings are remembered by the thousand, and a text may have 64 KB.
    """
    text = b"".join(answer.records) if isinstance(answer, Found) else b""
    code = next(filter(zone.counts, address.records), b"") if isinstance(address, Found) else b""
    if text:
        return Listed(_without_name(zone, text)[:TEXT_LIMIT], code)
    if zone.address_lists and code:
        own_text = (zone.text or _NO_TEXT % (b"%IP%", zone.alias)).replace(b"%IP%", ip)
        return Listed(own_text[:TEXT_LIMIT], code)
    return Failing(answer.reason) if isinstance(answer, Failed) else CLEAN


def judge(settings: DnsblSettings, findings: Sequence[Finding | None]) -> Verdict | None:
    """The verdict, once the findings allow one; None while one that could change it is still out.

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
            case None:
                return None
            case Failing(answered=answered):
                must_not_bounce = True
                if zone.allow and not zone.fail_closed and not answered:
                    return Accept(known=True)
                if zone.fail_closed and not zone.allow:
                    return Refuse(451, _LOOKUP_ERROR)
            case Listed() if zone.allow:
                return Accept(known=True)
            case Listed(text):
                return Refuse(553 if zone.bounce and not must_not_bounce else 451, text)
    return Accept()


def _by_weight(settings: DnsblSettings, findings: Sequence[Finding | None]) -> Verdict | None:
    """Postfix's way: the weights of the zones that list the client are added up. A zone that failed weighs nothing."""
    pairs = list(zip(settings.zones, findings, strict=True))
    if any(isinstance(finding, Listed) and _is_pass(zone) for zone, finding in pairs):
        return Accept(known=True)
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
    """The sum of the weights of the zones that list the client."""
    listing = (zone for zone, finding in zip(zones, findings, strict=True) if isinstance(finding, Listed))
    return sum(map(_weight, listing))


def word(finding: Finding) -> bytes:
    """A finding in one word for the log: the code that lists, ``listed``, ``clean`` or ``failed``."""
    match finding:
        case Listed(code=code):
            return dotted(code).encode() if code else b"listed"
        case Clean():
            return b"clean"
        case Failing():
            return b"failed"


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


def _without_name(zone: Zone, text: bytes) -> bytes:
    """A zone's words, which may hold its name, and with that the key that an alias is to hide."""
    if zone.alias == zone.name:
        return text
    return re.sub(re.escape(zone.name.strip(b".")), lambda _: zone.alias, text, flags=re.IGNORECASE)


def _heaviest_text(pairs: Sequence[tuple[Zone, Finding | None]]) -> bytes:
    texts = [(_weight(zone), finding.text) for zone, finding in pairs if isinstance(finding, Listed)]
    return max(texts, key=lambda text: text[0])[1]


def _is_error(zone: Zone, address: bytes) -> bool:
    speaks_for_clients = zone.allow or (zone.weight or 0) < 0
    if speaks_for_clients and address == _ALLOW_ERROR:
        return True
    if address[0] != _LOOPBACK or address[:3] == _ERROR_NETWORK:
        return True
    # Some zones answer it about whoever they do not list; where codes are written they say what lists.
    return zone.codes is None and address == _NEVER_LISTED


def dotted(address: bytes) -> str:
    """4 bytes as people write them."""
    return ".".join(map(str, address))
