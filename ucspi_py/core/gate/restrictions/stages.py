"""Which lists are evaluated at which command, and what comes after them (smtpd_check.c, smtpd_check_...)."""

from collections.abc import Callable, Mapping

from ...smtp.path import Path
from .addresses.address import said
from .asking import NotYetKnown
from .checks.table import CHECKS
from .checks.users import unlisted_recipient, unlisted_sender
from .evaluation import Check, Ended, Evaluation, Subject
from .facts import Facts, Stage
from .judgement import Judgement, Verdict
from .questions import Known, Question
from .services import greylisting
from .settings import RestrictionSettings

_REJECT = Verdict.REJECT

#: What judge() is to those who need not know how it begins.
Judge = Callable[[RestrictionSettings, Facts, Known], Judgement | tuple[Question, ...]]
_Begin = Callable[[RestrictionSettings, Facts, Known, Mapping[str, Check]], Evaluation]


def judge(
    settings: RestrictionSettings, facts: Facts, known: Known, begin: _Begin = Evaluation
) -> Judgement | tuple[Question, ...]:
    """Judge a command by the lists of its stage -> the judgement, or the questions to be answered first.

    known: the answers so far; it may have more than this judgement needs, and may look a table up as it is asked for
    its key. What Postfix would ask is asked, in its order, and nothing that no longer decides. What the lists let pass
    has still to pass the gate's last check (relay.py). begin: makes the evaluation, another one for whoever wants to
    watch it.
    """
    evaluation = begin(settings, facts, known, CHECKS)
    try:
        _STAGES[facts.stage](evaluation)
    except NotYetKnown as wanted:
        return wanted.questions
    except Ended:
        pass  # The evaluation has its reply.
    return evaluation.judgement()


def _connect(evaluation: Evaluation) -> Verdict:
    return Verdict.DUNNO if evaluation.settings.smtpd_delay_reject else _client_list(evaluation)


def _helo(evaluation: Evaluation) -> Verdict:
    return Verdict.DUNNO if evaluation.settings.smtpd_delay_reject else _helo_list(evaluation)


def _mail(evaluation: Evaluation) -> Verdict:
    return Verdict.DUNNO if evaluation.settings.smtpd_delay_reject else _sender_list(evaluation)


def _rcpt(evaluation: Evaluation) -> Verdict:
    recipient = evaluation.facts.recipient
    if recipient is None or recipient.is_postmaster:
        return Verdict.DUNNO  # RFC 5321, 4.5.1
    if evaluation.settings.smtpd_delay_reject:
        for of_stage in (_client_list, _helo_list, _sender_list):
            if of_stage(evaluation) is _REJECT:
                return _REJECT
    if _recipient_lists(evaluation, recipient) is _REJECT:
        return _REJECT
    return Verdict.DUNNO if evaluation.discard else greylisting.visit(evaluation)


def _data(evaluation: Evaluation) -> Verdict:
    return _content_list(evaluation, Subject(b"DATA", b"Data command", None))


def _end_of_message(evaluation: Evaluation) -> Verdict:
    return _content_list(evaluation, Subject(b"END-OF-MESSAGE", b"End-of-data", None))


_STAGES = {
    Stage.CONNECT: _connect,
    Stage.HELO: _helo,
    Stage.MAIL: _mail,
    Stage.RCPT: _rcpt,
    Stage.DATA: _data,
    Stage.END_OF_MESSAGE: _end_of_message,
}


def _client_list(evaluation: Evaluation) -> Verdict:
    evaluation.begin()
    evaluation.if_permit = None
    facts = evaluation.facts
    subject = Subject(b"%b[%b]" % (facts.name, facts.ip), b"Client host", "check_client_access")
    return evaluation.run(evaluation.settings.smtpd_client_restrictions, subject)


def _helo_list(evaluation: Evaluation) -> Verdict:
    helo = evaluation.helo
    if helo is None:
        return Verdict.DUNNO
    evaluation.begin()
    subject = Subject(helo, b"Helo command", "check_helo_access")
    return evaluation.run(evaluation.settings.smtpd_helo_restrictions, subject)


def _sender_list(evaluation: Evaluation) -> Verdict:
    sender = evaluation.facts.sender
    if sender is None:
        return Verdict.DUNNO
    evaluation.begin()
    subject = Subject(said(sender), b"Sender address", "check_sender_access")
    settings = evaluation.settings
    verdict = evaluation.run(settings.smtpd_sender_restrictions, subject)
    if verdict is _REJECT or not settings.smtpd_reject_unlisted_sender or evaluation.discard:
        return verdict
    return unlisted_sender(evaluation)


def _recipient_lists(evaluation: Evaluation, recipient: Path) -> Verdict:
    settings = evaluation.settings
    lists = [settings.smtpd_relay_restrictions, settings.smtpd_recipient_restrictions]
    if not settings.smtpd_relay_before_recipient_restrictions:
        lists.reverse()
    subject = Subject(said(recipient), b"Recipient address", "check_recipient_access")
    evaluation.begin()
    for restrictions in lists:
        if evaluation.run(restrictions, subject) is _REJECT:
            return _REJECT
    if _deferred(evaluation) is _REJECT:
        return _REJECT
    if not settings.smtpd_reject_unlisted_recipient or evaluation.discard:
        return Verdict.DUNNO
    return unlisted_recipient(evaluation)


def _content_list(evaluation: Evaluation, subject: Subject) -> Verdict:
    settings = evaluation.settings
    is_data = evaluation.facts.stage is Stage.DATA
    evaluation.begin()
    evaluation.if_permit = None
    restrictions = settings.smtpd_data_restrictions if is_data else settings.smtpd_end_of_data_restrictions
    verdict = evaluation.run(restrictions, subject)
    return verdict if verdict is _REJECT else _deferred(evaluation)


def _deferred(evaluation: Evaluation) -> Verdict:
    """Refuse for now what an earlier restriction could not judge."""
    kept = evaluation.if_permit
    return evaluation.reject(*kept) if kept else Verdict.DUNNO
