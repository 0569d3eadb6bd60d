"""Restrictions about who has logged in, and whose an address is (smtpd_check.c)."""

import re
from typing import NamedTuple

from ..addresses.address import said
from ..addresses.tables import TableFailed
from ..evaluation import Check, Evaluation, Subject
from ..judgement import Verdict
from ..restriction import Restriction
from .access import search
from .users import value_of

#: CHARS_COMMA_SP: what stands between the owners of an address.
_BETWEEN = re.compile(rb"[, \t\r\n]+")
#: What stands for signs of a user's that no table has.
_PRINTABLE = bytes(byte if 32 <= byte < 127 else ord("_") for byte in range(256))


def permit_authenticated(evaluation: Evaluation, _restriction: Restriction, _subject: Subject) -> Verdict:
    """permit_sasl_authenticated: a client that has logged in."""
    return Verdict.OK if evaluation.facts.login else Verdict.DUNNO


def access(evaluation: Evaluation, restriction: Restriction, subject: Subject) -> Verdict:
    """check_sasl_access: the user, whole."""
    if not evaluation.settings.smtpd_sasl_auth_enable:
        return _ignored(evaluation, restriction)
    login = evaluation.facts.login
    if not login:
        return Verdict.DUNNO
    name = login.translate(_PRINTABLE)
    of_user = Subject(name, b"SASL login name", subject.access)
    return search(evaluation, restriction.table, iter([(name, False)]), of_user).verdict


class _Mismatch(NamedTuple):
    """What a mismatch is. of_users: for who has logged in. of_strangers: for others. takes_unknown: addresses that no
    table has are anybody's.
    """

    of_users: bool
    of_strangers: bool
    takes_unknown: bool = False


def _mismatch(kind: _Mismatch) -> Check:
    def judge(evaluation: Evaluation, restriction: Restriction, _subject: Subject) -> Verdict:
        settings, facts = evaluation.settings, evaluation.facts
        if not settings.smtpd_sasl_auth_enable:
            return _ignored(evaluation, restriction)
        if facts.sender is None or facts.sender.is_null or not settings.smtpd_sender_login_maps:
            return Verdict.DUNNO
        if not (kind.of_users if facts.login else kind.of_strangers):
            return Verdict.DUNNO
        owners = _owners(evaluation)
        if not facts.login:
            return Verdict.DUNNO if owners is None else _refused(evaluation, b"not logged in")
        if facts.login.lower() in (owners or ()) or (owners is None and kind.takes_unknown):
            return Verdict.DUNNO
        return _refused(evaluation, b"not owned by user " + facts.login)

    return judge


def _owners(evaluation: Evaluation) -> list[bytes] | None:
    """Whose address the sender is, in lower case; None = no table has it."""
    sender = evaluation.facts.sender
    if sender is None:
        return None
    try:
        found = value_of(evaluation, sender, evaluation.settings.smtpd_sender_login_maps)
    except TableFailed:
        evaluation.fail_lookup(said(sender))
    return None if found is None else _BETWEEN.split(found.lower())


def _refused(evaluation: Evaluation, why: bytes) -> Verdict:
    sender = evaluation.facts.sender
    address = said(sender) if sender else b""
    return evaluation.reject(553, b"5.7.1", b"<%b>: Sender address rejected: %b" % (address, why))


def _ignored(evaluation: Evaluation, restriction: Restriction) -> Verdict:
    """A restriction about logins, of which there are none."""
    evaluation.warn(f"restriction `{restriction.name}' ignored: no SASL support")
    return Verdict.DUNNO


sender_mismatch = _mismatch(_Mismatch(of_users=True, of_strangers=True))
known_mismatch = _mismatch(_Mismatch(of_users=True, of_strangers=True, takes_unknown=True))
authenticated_mismatch = _mismatch(_Mismatch(of_users=True, of_strangers=False))
unauthenticated_mismatch = _mismatch(_Mismatch(of_users=False, of_strangers=True))
