"""Restrictions of every list: permit, reject, defer and their like."""

from ..evaluation import Evaluation, Subject
from ..facts import Stage
from ..judgement import Verdict
from ..restriction import Restriction


def permit(_evaluation: Evaluation, _restriction: Restriction, _subject: Subject) -> Verdict:
    """permit: leaves the list."""
    return Verdict.OK


def reject(evaluation: Evaluation, _restriction: Restriction, subject: Subject) -> Verdict:
    """reject: refuses everything."""
    code = evaluation.settings.codes.reject_code
    return evaluation.reject(code, b"5.7.1", b"<%b>: %b rejected: Access denied" % (subject.name, subject.kind))


def defer(evaluation: Evaluation, _restriction: Restriction, subject: Subject) -> Verdict:
    """defer: refuses everything for now."""
    code = evaluation.settings.codes.defer_code
    return evaluation.reject(code, b"4.3.2", b"<%b>: %b rejected: Try again later" % (subject.name, subject.kind))


def defer_if_permit(evaluation: Evaluation, _restriction: Restriction, subject: Subject) -> Verdict:
    """defer_if_permit: refuses for now what nothing later refuses."""
    words = b"<%b>: %b rejected: defer_if_permit requested" % (subject.name, subject.kind)
    return evaluation.defer_if_permit(450, b"4.7.0", words)


def defer_if_reject(evaluation: Evaluation, _restriction: Restriction, subject: Subject) -> Verdict:
    """defer_if_reject: refuses only for now what something later refuses."""
    words = b"<%b>: %b rejected: defer_if_reject requested" % (subject.name, subject.kind)
    return evaluation.defer_if_reject(450, b"4.7.0", words)


def sleep(evaluation: Evaluation, restriction: Restriction, _subject: Subject) -> Verdict:
    """sleep: waits for so many seconds."""
    evaluation.wait(restriction.seconds)
    return Verdict.DUNNO


def unauth_pipelining(evaluation: Evaluation, _restriction: Restriction, subject: Subject) -> Verdict:
    """reject_unauth_pipelining: of a client that did not wait where it must."""
    if not evaluation.facts.ill_pipelining:
        return Verdict.DUNNO
    words = b"<%b>: %b rejected: Improper use of SMTP command pipelining" % (subject.name, subject.kind)
    return evaluation.reject(503, b"5.5.0", words)


def plaintext_session(evaluation: Evaluation, _restriction: Restriction, _subject: Subject) -> Verdict:
    """reject_plaintext_session: of a client that speaks no TLS."""
    if evaluation.facts.secured:
        return Verdict.DUNNO
    code = evaluation.settings.codes.plaintext_reject_code
    return evaluation.reject(code, b"4.7.1", b"Session encryption is required")


def multi_recipient_bounce(evaluation: Evaluation, _restriction: Restriction, subject: Subject) -> Verdict:
    """reject_multi_recipient_bounce: the null sender writes to one recipient only."""
    facts = evaluation.facts
    most = 0 if facts.stage is Stage.RCPT else 1
    if facts.sender is None or not facts.sender.is_null or facts.accepted <= most:
        return Verdict.DUNNO
    code = evaluation.settings.codes.multi_recipient_bounce_reject_code
    words = b"<%b>: %b rejected: Multi-recipient bounce" % (subject.name, subject.kind)
    return evaluation.reject(code, b"5.5.3", words)


def dunno(_evaluation: Evaluation, _restriction: Restriction, _subject: Subject) -> Verdict:
    """A restriction that has nothing to say of any client here."""
    return Verdict.DUNNO


def in_class(evaluation: Evaluation, restriction: Restriction, subject: Subject) -> Verdict:
    """A restriction class: its list."""
    return evaluation.run(evaluation.settings.smtpd_restriction_classes[restriction.text], subject)


def flawed(evaluation: Evaluation, restriction: Restriction, _subject: Subject) -> Verdict:
    """A word of a table that is no restriction."""
    evaluation.fail(restriction.text)
