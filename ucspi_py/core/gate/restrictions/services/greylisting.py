"""check_greylist: whom everything else lets in waits once. Evaluated last, wherever it stands in its list.

A recipient that is refused leaves no record: whoever tries names would fill the store.
"""

from ....greylist.attempt import Attempt, Deferred
from ....greylist.attempt import Verdict as GreylistVerdict
from ....greylist.triplet import texts
from ..addresses.address import RECIPIENT, said
from ..evaluation import Evaluation, Subject
from ..facts import Facts, NameStatus, Stage
from ..judgement import Verdict
from ..questions import GreylistQuestion
from ..restriction import Restriction

_DETAIL = b"4.2.0"


def put_off(evaluation: Evaluation, restriction: Restriction, _subject: Subject) -> Verdict:
    """check_greylist: of a recipient, unless the client may relay or a rule spares it."""
    settings, facts = evaluation.settings.greylist, evaluation.facts
    if settings is None or settings.store != restriction.store:
        evaluation.fail("check_greylist in a table has a store that no list has: name a restriction class there")
    if facts.stage is Stage.RCPT and not _is_spared(facts):
        evaluation.put_off(restriction)
    return Verdict.DUNNO


def visit(evaluation: Evaluation) -> Verdict:
    """Ask about a recipient that all lists let pass, and refuse it for now where it has not waited long enough."""
    late, settings = evaluation.late, evaluation.settings.greylist
    if late is None or settings is None:
        return Verdict.DUNNO
    attempt = _attempt(evaluation)
    found = evaluation.visited(GreylistQuestion(attempt))
    if found is None:
        return Verdict.DUNNO
    evaluation.say(b"info", words(found.verdict))
    if isinstance(found.verdict, Deferred):
        why = texts.refusal(settings.text, found.verdict.seconds, attempt.recipient)
        text = b"<%b>: %b rejected: %b" % (attempt.recipient, RECIPIENT, why)
        code = evaluation.settings.codes.access_map_defer_code
        return evaluation.reject_late(code, _DETAIL, text)
    if found.header and not late.warns_only:
        evaluation.prepend(found.header, found.header.partition(b":")[0] + b":")
    return Verdict.DUNNO


def words(verdict: GreylistVerdict) -> bytes:
    """Tell what came of a visit in the words of postgrey's log."""
    action = b"greylist" if isinstance(verdict, Deferred) else b"pass"
    waited = None if isinstance(verdict, Deferred) else verdict.waited
    delay = b"" if waited is None else b", delay=%d" % waited
    return b"action=%b, reason=%b%b" % (action, texts.reason(verdict), delay)


def _is_spared(facts: Facts) -> bool:
    return facts.relays or facts.certified or bool(facts.login) or facts.ungreylisted


def _attempt(evaluation: Evaluation) -> Attempt:
    facts = evaluation.facts
    name = facts.name if facts.name_status is NameStatus.OK else b""
    sender, recipient = (b"" if path is None else said(path) for path in (facts.sender, facts.recipient))
    return Attempt(facts.ip, name, facts.helo or b"", sender, recipient)
