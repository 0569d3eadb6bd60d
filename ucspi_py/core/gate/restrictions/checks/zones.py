"""Restrictions that ask zones about addresses and domains, against a client and for it (smtpd_check.c)."""

from collections.abc import Callable

from ..addresses.address import RECIPIENT, SENDER, said
from ..addresses.hostname import in_ascii, is_hostname, is_numeric
from ..evaluation import Check, Evaluation, Subject
from ..facts import UNKNOWN, Stage
from ..judgement import Verdict
from ..questions import Listed, ZoneFailure, ZoneOutcome, ZoneQuestion
from ..restriction import Restriction
from .destination import is_authorized

#: smtpd_check.c, RBL_TXT_LIMIT: bytes of a zone's text.
_TEXT_LIMIT = 500

#: Of whom or what a zone is asked.
_Value = Callable[[Evaluation], bytes | None]


def rbl_client(evaluation: Evaluation, restriction: Restriction, _subject: Subject) -> Verdict:
    """reject_rbl_client: the address of the client."""
    ip = evaluation.facts.ip
    found = evaluation.zone(ZoneQuestion(restriction.zone, ip, False))
    return _refused(evaluation, restriction, found, ip, b"Client host")


def dnswl_client(evaluation: Evaluation, restriction: Restriction, _subject: Subject) -> Verdict:
    """permit_dnswl_client: the address of the client."""
    if _is_relaying(evaluation):
        return Verdict.DUNNO
    ip = evaluation.facts.ip
    return _permitted(evaluation, evaluation.zone(ZoneQuestion(restriction.zone, ip, False)), ip)


def rhswl_client(evaluation: Evaluation, restriction: Restriction, _subject: Subject) -> Verdict:
    """permit_rhswl_client: the verified name of the client."""
    name = _client_name(evaluation)
    if name is None or _is_relaying(evaluation):
        return Verdict.DUNNO
    return _permitted(evaluation, _of_domain(evaluation, restriction, name), name)


def _rhsbl(value: _Value, kind: bytes) -> Check:
    """Refuse a listed domain. value: where it is taken from. kind: what that is, for the reply."""

    def judge(evaluation: Evaluation, restriction: Restriction, _subject: Subject) -> Verdict:
        what = value(evaluation)
        if not what:
            return Verdict.DUNNO
        return _refused(evaluation, restriction, _of_domain(evaluation, restriction, what), what, kind)

    return judge


def _client_name(evaluation: Evaluation) -> bytes | None:
    name = evaluation.facts.name
    return None if name.lower() == UNKNOWN else name


def _reverse_name(evaluation: Evaluation) -> bytes | None:
    name = evaluation.facts.reverse_name
    return None if name.lower() == UNKNOWN else name


def _helo(evaluation: Evaluation) -> bytes | None:
    return evaluation.helo


def _sender(evaluation: Evaluation) -> bytes | None:
    path = evaluation.facts.sender
    return path and said(path)


def _recipient(evaluation: Evaluation) -> bytes | None:
    path = evaluation.recipient
    return path and said(path)


rhsbl_client = _rhsbl(_client_name, b"Client host")
rhsbl_reverse_client = _rhsbl(_reverse_name, b"Unverified Client host")
rhsbl_helo = _rhsbl(_helo, b"Helo command")
rhsbl_sender = _rhsbl(_sender, SENDER)
rhsbl_recipient = _rhsbl(_recipient, RECIPIENT)


def _of_domain(evaluation: Evaluation, restriction: Restriction, what: bytes) -> ZoneOutcome:
    """Ask about the domain of an address or a name; literals and numbers are not asked about."""
    domain = in_ascii(what.rpartition(b"@")[2])
    if is_numeric(domain.rpartition(b".")[2]) or not is_hostname(domain):
        return ZoneFailure.NOT_LISTED
    return evaluation.zone(ZoneQuestion(restriction.zone, domain, True))


def _refused(evaluation: Evaluation, restriction: Restriction, found: ZoneOutcome, what: bytes, kind: bytes) -> Verdict:
    zone = restriction.zone.name
    if found is ZoneFailure.UNKNOWN:
        evaluation.warn(f"{restriction.zone.name.decode()}: RBL lookup error")
    if not isinstance(found, Listed):
        return Verdict.DUNNO
    words = b"Service unavailable; %b [%b] blocked using %b" % (kind, what, zone)
    words += b"; " + found.text[:_TEXT_LIMIT] if found.text else b""
    return evaluation.reject(evaluation.settings.codes.maps_rbl_reject_code, b"4.7.1", words)


def _permitted(evaluation: Evaluation, found: ZoneOutcome, what: bytes) -> Verdict:
    if found is ZoneFailure.UNKNOWN:
        words = b"<%b>: Client host rejected: Service unavailable" % what
        return evaluation.defer_if_reject(450, b"4.7.1", words)
    return Verdict.OK if isinstance(found, Listed) else Verdict.DUNNO


def _is_relaying(evaluation: Evaluation) -> bool:
    """Whether a zone must not speak for a client: it would let it relay."""
    recipient = evaluation.facts.recipient
    is_rcpt = evaluation.facts.stage is Stage.RCPT
    return is_rcpt and recipient is not None and not is_authorized(evaluation, recipient)
