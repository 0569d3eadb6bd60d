"""Restrictions about the client's address and name."""

from ..evaluation import Evaluation, Subject
from ..facts import NameStatus
from ..judgement import Verdict
from ..restriction import Restriction


def mynetworks(evaluation: Evaluation, _restriction: Restriction, _subject: Subject) -> Verdict:
    """permit_mynetworks: a client that may relay, also by a rule."""
    return Verdict.OK if evaluation.facts.relays else Verdict.DUNNO


def certified(evaluation: Evaluation, _restriction: Restriction, _subject: Subject) -> Verdict:
    """permit_tls_all_clientcerts: a client with a certificate of an authority of ours."""
    return Verdict.OK if evaluation.facts.certified else Verdict.DUNNO


def inet_interfaces(evaluation: Evaluation, _restriction: Restriction, _subject: Subject) -> Verdict:
    """permit_inet_interfaces: a client on this host."""
    return Verdict.OK if evaluation.facts.is_ours else Verdict.DUNNO


def unknown_reverse_hostname(evaluation: Evaluation, _restriction: Restriction, _subject: Subject) -> Verdict:
    """reject_unknown_reverse_client_hostname: its address has no name."""
    facts = evaluation.facts
    if facts.reverse_name_status is NameStatus.OK:
        return Verdict.DUNNO
    absent = facts.reverse_name_status is NameStatus.ABSENT
    code = evaluation.settings.codes.unknown_client_reject_code if absent else 450
    words = b"Client host rejected: cannot find your reverse hostname, [%b]" % facts.ip
    return evaluation.reject(code, b"4.7.1", words)


def unknown_hostname(evaluation: Evaluation, _restriction: Restriction, _subject: Subject) -> Verdict:
    """reject_unknown_client_hostname: it has no name that leads back to its address (RFC 7372, 3.3)."""
    facts = evaluation.facts
    if facts.name_status is NameStatus.OK:
        return Verdict.DUNNO
    code = 450 if facts.name_status is NameStatus.FAILED else evaluation.settings.codes.unknown_client_reject_code
    words = b"Client host rejected: cannot find your hostname, [%b]" % facts.ip
    return evaluation.reject(code, b"4.7.25", words)
