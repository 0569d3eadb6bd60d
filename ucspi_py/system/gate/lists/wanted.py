"""What a client of the gate has to wait for, in a word or two. Never asks anybody."""

from collections.abc import Collection

from ....core.gate.restrictions.questions import AAAA, MX, NS, A, DnsQuestion, PolicyQuestion, Question, ZoneQuestion

_KINDS = {A: b"A", NS: b"NS", MX: b"MX", AAAA: b"AAAA"}


def wanted(questions: Collection[Question]) -> bytes:
    """Name the first of what is not known yet, and say how many there are beside it."""
    first, more = min(map(_word, questions)), len(questions) - 1
    return b"%b +%d" % (first, more) if more else first


def _word(question: Question) -> bytes:
    if isinstance(question, ZoneQuestion):
        return b"zone " + question.zone.alias
    if isinstance(question, PolicyQuestion):
        return b"policy " + question.service.text.encode()
    if isinstance(question, DnsQuestion):
        return b"%b %b" % (_KINDS.get(question.kind, b"DNS"), question.name)
    return b"lookup"
