"""Restrictions about the syntax of the HELO name. Where there is none they say nothing."""

from collections.abc import Callable

from ..addresses.hostname import is_address, is_bracketed, is_hostname, mail_address, without_dot
from ..evaluation import Check, Evaluation, Subject
from ..judgement import Verdict
from ..restriction import Restriction
from .mail_host import is_whole, unknown_helo


def _of_name(check: Callable[[Evaluation, bytes], Verdict]) -> Check:
    """A check of a HELO name; a literal is only looked at whether it is an address."""

    def judge(evaluation: Evaluation, _restriction: Restriction, _subject: Subject) -> Verdict:
        name = evaluation.helo
        if name is None:
            return Verdict.DUNNO
        return _address(evaluation, name) if name.startswith(b"[") else check(evaluation, name)

    return judge


def _address(evaluation: Evaluation, name: bytes) -> Verdict:
    inner = name[1:-1] if len(name) > 2 and is_bracketed(name) else name
    if mail_address(inner):
        return Verdict.DUNNO
    code = evaluation.settings.codes.invalid_hostname_reject_code
    return evaluation.reject(code, b"5.5.2", b"<%b>: Helo command rejected: invalid ip address" % name)


def _invalid(evaluation: Evaluation, name: bytes) -> Verdict:
    tested = without_dot(name)
    if is_hostname(tested) or is_address(tested):
        return Verdict.DUNNO
    code = evaluation.settings.codes.invalid_hostname_reject_code
    return evaluation.reject(code, b"5.5.2", b"<%b>: Helo command rejected: Invalid name" % name)


def _non_fqdn(evaluation: Evaluation, name: bytes) -> Verdict:
    if is_whole(evaluation, without_dot(name)):
        return Verdict.DUNNO
    code = evaluation.settings.codes.non_fqdn_reject_code
    return evaluation.reject(code, b"5.5.2", b"<%b>: Helo command rejected: need fully-qualified hostname" % name)


invalid_hostname = _of_name(_invalid)
non_fqdn_hostname = _of_name(_non_fqdn)
unknown_hostname = _of_name(unknown_helo)
