"""What becomes of an attempt -> the action that Postfix is told, and the line for the log. Never asks anything."""

from collections.abc import Callable
from typing import NamedTuple

from ..greylist.attempt import Deferred, Verdict
from ..greylist.triplet import texts
from ..policy.reply import DUNNO
from ..policy.request import Request
from ..smtp.verdict import Refuse
from . import loglines
from .settings import Answering

#: Exchange has handled 4.7.1, Postfix's own code, badly.
_CODE = b"4.2.0 "
#: RFC 3463: X.7.1, not authorized.
_CODES = {451: b"451 4.7.1", 553: b"553 5.7.1"}


class Answer(NamedTuple):
    """An answer. action: as of access(5). lines: for the log, whole."""

    action: bytes
    lines: tuple[bytes, ...]


def greylisted(verdict: Verdict, request: Request, asked: Answering, header: Callable[[int], bytes | None]) -> Answer:
    """Answer for the greylist.

    header: makes that of a message that has waited so many seconds; None = it has one.
    """
    if isinstance(verdict, Deferred):
        action = b"%s %s" % (asked.action, _text(verdict, request, asked))
        return Answer(action, (loglines.action(request, b"greylist", texts.reason(verdict)),))
    listed = (loglines.whitelisted(request),) if verdict.lists_client else ()
    told = None if verdict.waited is None else header(verdict.waited)
    if told is None:
        return Answer(DUNNO, (*listed, loglines.action(request, b"pass", verdict.reason)))
    delay = b"delay=%d" % (verdict.waited or 0)
    return Answer(b"PREPEND " + told, (*listed, loglines.action(request, b"pass", verdict.reason, (delay,))))


def screened(refusal: Refuse, request: Request) -> Answer:
    """Answer for the zones: with the code and the text of pyrblsmtpd."""
    verb = b"reject" if refusal.code >= 500 else b"defer"
    action = b"%s %s" % (_CODES[refusal.code], refusal.words)
    return Answer(action, (loglines.action(request, verb, b"listed: " + refusal.words),))


def vouched(request: Request) -> Answer:
    """Answer for a client that a zone of -a vouches for: it need not wait."""
    return Answer(DUNNO, (loglines.action(request, b"pass", b"listed by an allow-list"),))


def header(waited: int, asked: Answering, date: bytes) -> bytes:
    """Make the header of a message that has waited so many seconds. date: as of RFC 5322, 3.3."""
    return texts.header(asked.triplets.header, waited, asked.version, asked.host, date)


def _text(deferred: Deferred, request: Request, asked: Answering) -> bytes:
    """Write the text, with a code where that is taken: from Postfix 2.3 on, which tells of etrn_domain since then.

    Source: postgrey, smtpd_access_policy.
    """
    text = texts.refusal(asked.triplets.text, deferred.seconds, request.get(b"recipient"))
    return text if text[:1].isdigit() or b"etrn_domain" not in request.attributes else _CODE + text
