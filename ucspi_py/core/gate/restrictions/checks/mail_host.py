"""Whether there is a host of a name, or it takes mail (smtpd_check.c, reject_unknown_hostname and its like)."""

import enum

from ..addresses.address import SENDER
from ..addresses.hostname import in_ascii, is_address, is_hostname
from ..evaluation import Evaluation
from ..judgement import Verdict
from ..questions import AAAA, MX, A, DnsFailure


class _Status(enum.IntEnum):
    """How a look-up ended; of several the highest counts (dns.h)."""

    NOT_FOUND = 0
    NULL_MX = 1
    REFUSED = 2
    MALFORMED = 3
    TRY_AGAIN = 4
    FOUND = 5


_FAILURES = {
    DnsFailure.NOT_FOUND: _Status.NOT_FOUND,
    DnsFailure.REFUSED: _Status.REFUSED,
    DnsFailure.MALFORMED: _Status.MALFORMED,
    DnsFailure.TRY_AGAIN: _Status.TRY_AGAIN,
}


def is_whole(evaluation: Evaluation, name: bytes) -> bool:
    """Whether it is the name of a host with a domain behind it; in UTF-8 only where the client has announced that."""
    return b"." in name and is_hostname(in_ascii(name) if evaluation.facts.smtputf8 else name)


def unknown_helo(evaluation: Evaluation, name: bytes) -> Verdict:
    """Refuse a HELO name without A, AAAA and MX records; one with a null MX is known."""
    status = _lookup(evaluation, name, (A, AAAA, MX), frozenset((_Status.FOUND,)))
    if status in (_Status.FOUND, _Status.NULL_MX):
        return Verdict.DUNNO
    words = b"<%b>: Helo command rejected: %b" % (name, _reason(status, b"Host not found"))
    if status is _Status.TRY_AGAIN:
        defers = evaluation.settings.unknown_helo_hostname_tempfail_defers_if_permit
        return (evaluation.defer_if_permit if defers else evaluation.reject)(450, b"4.7.1", words)
    return evaluation.reject(evaluation.settings.codes.unknown_hostname_reject_code, b"4.7.1", words)


def unknown_domain(evaluation: Evaluation, domain: bytes, address: bytes, kind: bytes) -> Verdict:
    """Refuse an address whose domain has no MX, A and AAAA records. kind: what the address is, for the reply."""
    ends = frozenset((_Status.FOUND, _Status.MALFORMED, _Status.NULL_MX))
    domain = in_ascii(domain)
    status = _lookup(evaluation, domain, (MX, A, AAAA), ends)
    is_sender = kind == SENDER
    start = b"<%b>: %b rejected: " % (address, kind)
    if status is _Status.FOUND:
        return Verdict.DUNNO
    if status is _Status.NULL_MX:
        code, detail = (550, b"4.7.27") if is_sender else (556, b"4.1.10")
        return evaluation.reject(code, detail, start + b"Domain %b does not accept mail (nullMX)" % domain)
    detail = b"4.1.8" if is_sender else b"4.1.2"
    words = start + _reason(status, b"Domain not found")
    if status is _Status.TRY_AGAIN:
        defers = evaluation.settings.unknown_address_tempfail_defers_if_permit
        return (evaluation.defer_if_permit if defers else evaluation.reject)(450, detail, words)
    return evaluation.reject(evaluation.settings.codes.unknown_address_reject_code, detail, words)


def _lookup(evaluation: Evaluation, name: bytes, kinds: tuple[int, ...], ends: frozenset[_Status]) -> _Status:
    """Look for records of several types, up to the first that ends it (dns_lookup.c, dns_lookup_l)."""
    best = _Status.NOT_FOUND
    for kind in kinds:
        status = _status(evaluation, name, kind)
        if status in ends:
            return status
        best = max(best, status)
    return best


def _status(evaluation: Evaluation, name: bytes, kind: int) -> _Status:
    if not is_queried(name):
        return _Status.NOT_FOUND
    answer = evaluation.records(name, kind)
    if isinstance(answer, DnsFailure):
        return _FAILURES[answer]
    if kind != MX:
        return _Status.FOUND
    if b"" in answer.records:
        return _Status.NULL_MX
    return _Status.FOUND if any(map(is_server, answer.records)) else _Status.MALFORMED


def is_queried(name: bytes) -> bool:
    """Whether the servers are asked about a name: an address or a broken name has no records (dns_lookup.c)."""
    return not is_address(name) and is_hostname(name.removeprefix(b"*."))


def is_server(name: bytes) -> bool:
    """Whether a record may name such a server; an address is passed over in silence (dns_lookup.c, valid_rr_name)."""
    return is_address(name) or is_hostname(name.removeprefix(b"*."))


def _reason(status: _Status, not_found: bytes) -> bytes:
    return b"Malformed DNS server reply" if status is _Status.MALFORMED else not_found
