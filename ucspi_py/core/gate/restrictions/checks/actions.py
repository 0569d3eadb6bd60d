"""What the value of an access table does (access(5); smtpd_check.c, check_table_result)."""

import re
from collections.abc import Callable, Collection
from typing import NamedTuple

from ....text import shown
from ...language.words import Fragment, split
from ...maps.action import QUEUE_ACTIONS, action, is_header, needs_queue
from ..addresses.hostname import is_numeric
from ..evaluation import Evaluation, Subject
from ..facts import Stage
from ..judgement import Verdict
from ..parse import parse_leniently
from ..restriction import Restriction, Restrictions
from . import detail

_REPLY = re.compile(rb"([45]\d\d)[ \t]+(\S.*)", re.DOTALL)


class _Result(NamedTuple):
    """A value that was found.

    table: of which. text: behind the word that says what is done. subject: of the check. once: a header of it is not
    wanted twice.
    """

    table: object
    text: bytes
    subject: Subject
    once: bool


def act(evaluation: Evaluation, table: object, value: bytes, subject: Subject, *, once: bool = False) -> Verdict:
    """Do what a value says.

    table: where it stands. subject: what was looked up, for the reply. once: a message gets a header of it once.
    """
    verb, text = action(value)
    carry_out = _ACTIONS.get(verb)
    if carry_out is not None:
        return carry_out(evaluation, _Result(table, text, subject, once))
    found = _REPLY.fullmatch(value)
    if is_numeric(value):
        return Verdict.OK
    if found:
        return _reject(
            evaluation, int(found[1]), detail.split(found[2], value[:1] + b".7.1"), b"Access denied", subject
        )
    return _restrictions(evaluation, table, value, subject)


def flaw(value: bytes, classes: Collection[str]) -> str | None:
    """Tell what is wrong with a value in an access table; None = nothing. classes: names of these."""
    verb, text = action(value)
    if verb in QUEUE_ACTIONS:
        return needs_queue(verb)
    if verb == b"PREPEND" and not is_header(text):
        return "PREPEND must be followed by a header, name: text"
    if verb in _ACTIONS or is_numeric(value) or _REPLY.fullmatch(value):
        return None
    if b":" in value:
        return "no table may stand in a table: name a restriction class that has it"
    restrictions = parse_leniently(split((Fragment(shown(value), ""),)), classes)
    if not restrictions:
        return "a key has no value"
    return next((one.text for one in restrictions if one.is_flawed), None)


def restrictions_of(value: bytes, table: object, classes: Collection[str]) -> Restrictions:
    """Translate a value to restrictions that do the same to a client; what neither permits nor refuses is none.

    table: where it stands. classes: names of these.
    """
    carry_out = _ACTIONS.get(action(value).verb)
    if carry_out is _ok or (carry_out is None and is_numeric(value)):
        return (Restriction("permit", where=str(table)),)
    if carry_out in (_refuse, _defer) or _REPLY.fullmatch(value):
        return (Restriction("reject", where=str(table)),)
    return () if carry_out else parse_leniently(split((Fragment(shown(value), str(table)),)), classes)


def _reject(evaluation: Evaluation, code: int, said: tuple[bytes, bytes], default: bytes, subject: Subject) -> Verdict:
    return evaluation.reject(code, detail.fitting(said[0], subject.kind), _reason(said[1] or default, subject))


def _reason(text: bytes, subject: Subject) -> bytes:
    return b"<%b>: %b rejected: %b" % (subject.name, subject.kind, text)


def _ok(_evaluation: Evaluation, _result: _Result) -> Verdict:
    return Verdict.OK


def _dunno(_evaluation: Evaluation, _result: _Result) -> Verdict:
    return Verdict.DUNNO


def _refuse(evaluation: Evaluation, result: _Result) -> Verdict:
    code = evaluation.settings.codes.access_map_reject_code
    return _reject(evaluation, code, detail.split(result.text, b"5.7.1"), b"Access denied", result.subject)


def _defer(evaluation: Evaluation, result: _Result) -> Verdict:
    code = evaluation.settings.codes.access_map_defer_code
    return _reject(evaluation, code, detail.split(result.text, b"4.7.1"), b"Access denied", result.subject)


def _deferral(evaluation: Evaluation, result: _Result) -> tuple[int, bytes, bytes]:
    code, text = detail.split(result.text, b"4.7.1")
    words = _reason(text or b"Service unavailable", result.subject)
    return evaluation.settings.codes.access_map_defer_code, detail.fitting(code, result.subject.kind), words


def _defer_if_permit(evaluation: Evaluation, result: _Result) -> Verdict:
    return evaluation.defer_if_permit(*_deferral(evaluation, result))


def _defer_if_reject(evaluation: Evaluation, result: _Result) -> Verdict:
    return evaluation.defer_if_reject(*_deferral(evaluation, result))


def _info(evaluation: Evaluation, result: _Result) -> Verdict:
    evaluation.say(b"info", result.text)
    return Verdict.DUNNO


def _warn(evaluation: Evaluation, result: _Result) -> Verdict:
    evaluation.say(b"warn", result.text)
    return Verdict.DUNNO


def _discard(evaluation: Evaluation, result: _Result) -> Verdict:
    if _is_without_message(evaluation, result, "DISCARD"):
        return Verdict.DUNNO
    text = result.text or b"triggers DISCARD action"
    evaluation.say(b"discard", b"<%b>: %b %b" % (result.subject.name, result.subject.kind, text))
    evaluation.discard = True
    return Verdict.OK


def _prepend(evaluation: Evaluation, result: _Result) -> Verdict:
    if _is_without_message(evaluation, result, "PREPEND"):
        return Verdict.DUNNO
    if evaluation.facts.stage is Stage.END_OF_MESSAGE:
        evaluation.warn(
            f"access table {result.table}: action PREPEND must be used before smtpd_end_of_data_restrictions"
        )
    elif not is_header(result.text):
        evaluation.warn(f"access table {result.table}: PREPEND requires header: text")
    else:
        evaluation.prepend(result.text, result.text + b"\n" if result.once else b"")
    return Verdict.DUNNO


def _needs_queue(evaluation: Evaluation, result: _Result) -> Verdict:
    evaluation.fail(f"access table {result.table}: an action of it needs a queue, and the gate has none")


def _is_without_message(evaluation: Evaluation, result: _Result, action: str) -> bool:
    """Whether there is no message yet, only a client (not_in_client_helo)."""
    if evaluation.facts.sender is not None:
        return False
    evaluation.warn(
        f"access table {result.table}: with smtpd_delay_reject=no, "
        f"action {action} is always skipped in Client host or Helo command restrictions"
    )
    return True


def _restrictions(evaluation: Evaluation, table: object, value: bytes, subject: Subject) -> Verdict:
    if b":" in value:
        evaluation.fail(f"access table {table} has entry with lookup table: {shown(value)}")
    restrictions = parse_leniently(
        split((Fragment(shown(value), str(table)),)), evaluation.settings.smtpd_restriction_classes
    )
    if not restrictions:
        evaluation.warn(f"access table {table} entry {shown(value)} has empty value")
        return Verdict.OK
    return evaluation.run_of_table(restrictions, subject, table)


_ACTIONS: dict[bytes, Callable[[Evaluation, _Result], Verdict]] = {
    b"OK": _ok,
    b"RELAY": _ok,
    b"DUNNO": _dunno,
    b"REJECT": _refuse,
    b"DEFER": _defer,
    b"DEFER_IF_PERMIT": _defer_if_permit,
    b"DEFER_IF_REJECT": _defer_if_reject,
    b"INFO": _info,
    b"WARN": _warn,
    b"DISCARD": _discard,
    b"PREPEND": _prepend,
    **dict.fromkeys(QUEUE_ACTIONS, _needs_queue),
}
