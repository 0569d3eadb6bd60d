"""Restrictions about the domain of a sender or recipient."""

from ..addresses.address import RECIPIENT, SENDER, said, wanted
from ..addresses.hostname import is_bracketed, without_dot
from ..addresses.resolve import resolved_or_refused
from ..evaluation import Check, Evaluation, Subject
from ..judgement import Verdict
from ..restriction import Restriction
from .mail_host import is_whole, unknown_domain


def _non_fqdn(kind: bytes) -> Check:
    """Refuse an address without a whole domain."""

    def judge(evaluation: Evaluation, _restriction: Restriction, _subject: Subject) -> Verdict:
        path = wanted(evaluation, kind)
        if path is None:
            return Verdict.DUNNO
        domain = without_dot(said(path).rpartition(b"@")[2] if b"@" in said(path) else b"")
        if is_bracketed(domain) or is_whole(evaluation, domain):
            return Verdict.DUNNO
        code = evaluation.settings.codes.non_fqdn_reject_code
        words = b"<%b>: %b rejected: need fully-qualified address" % (said(path), kind)
        return evaluation.reject(code, b"4.5.2", words)

    return judge


def _unknown(kind: bytes) -> Check:
    """Refuse an address whose domain takes no mail; it is not asked for where it is one of ours."""

    def judge(evaluation: Evaluation, _restriction: Restriction, _subject: Subject) -> Verdict:
        path = wanted(evaluation, kind)
        if path is None:
            return Verdict.DUNNO
        resolved = resolved_or_refused(evaluation, path)
        if resolved.kind.is_final or is_bracketed(resolved.domain):
            return Verdict.DUNNO
        return unknown_domain(evaluation, resolved.domain, said(path), kind)

    return judge


non_fqdn_sender, non_fqdn_recipient = _non_fqdn(SENDER), _non_fqdn(RECIPIENT)
unknown_sender_domain, unknown_recipient_domain = _unknown(SENDER), _unknown(RECIPIENT)
