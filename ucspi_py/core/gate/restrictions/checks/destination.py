"""Restrictions about where a recipient leads."""

from ....smtp.path import Path
from ..addresses.address import RECIPIENT, said, wanted
from ..addresses.resolve import resolved_or_refused
from ..addresses.resolved import Kind
from ..evaluation import Evaluation, Subject
from ..judgement import Verdict
from ..restriction import Restriction


def permit_auth(evaluation: Evaluation, _restriction: Restriction, _subject: Subject) -> Verdict:
    """permit_auth_destination: mail for a domain of ours."""
    recipient = wanted(evaluation, RECIPIENT)
    return Verdict.OK if recipient and is_authorized(evaluation, recipient) else Verdict.DUNNO


def reject_unauth(evaluation: Evaluation, _restriction: Restriction, _subject: Subject) -> Verdict:
    """reject_unauth_destination: no mail for elsewhere."""
    return _refused(evaluation, evaluation.settings.codes.relay_domains_reject_code, b"5.7.1")


def defer_unauth(evaluation: Evaluation, _restriction: Restriction, _subject: Subject) -> Verdict:
    """defer_unauth_destination: the same, for now."""
    return _refused(evaluation, evaluation.settings.codes.relay_domains_reject_code - 100, b"4.7.1")


def is_authorized(evaluation: Evaluation, recipient: Path) -> bool:
    """Whether mail for a recipient is taken from anybody (permit_auth_destination)."""
    resolved = resolved_or_refused(evaluation, recipient)
    if resolved.unsure:
        evaluation.fail_lookup(said(recipient))
    if resolved.routed and not evaluation.settings.destinations.allow_untrusted_routing:
        return False
    return resolved.kind is not Kind.OTHER


def _refused(evaluation: Evaluation, code: int, detail: bytes) -> Verdict:
    recipient = wanted(evaluation, RECIPIENT)
    if recipient is None or is_authorized(evaluation, recipient):
        return Verdict.DUNNO
    return evaluation.reject(code, detail, b"<%b>: Relay access denied" % said(recipient))
