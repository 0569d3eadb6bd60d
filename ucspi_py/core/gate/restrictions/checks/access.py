"""Which keys an access table is asked for (access(5); smtpd_check.c, check_domain_access and its like).

The first key that a table has ends the search; DUNNO is a value, too.
"""

from collections.abc import Iterator
from typing import NamedTuple

from ....text import shown
from ...maps.names import MapName
from ..addresses.address import RECIPIENT, SENDER, locals_of, quoted, said, wanted, whole_keys
from ..addresses.hostname import is_address
from ..addresses.resolve import resolved_or_refused
from ..addresses.resolved import Resolved
from ..addresses.tables import TableFailed, find, holds_below, parents
from ..evaluation import Check, Evaluation, Subject
from ..judgement import Verdict
from ..restriction import Restriction
from .actions import act

_PARAMETER = "smtpd_access_maps"
#: smtpd_check.c: what a table that cannot be read says of every key.
_ERROR = b"451 4.3.5 Server configuration error"

#: The keys of a search in their order, and whether each is a part of what is searched for.
Keys = Iterator[tuple[bytes, bool]]


class Found(NamedTuple):
    """The end of a search. found: whether the table has a key, or cannot be read."""

    verdict: Verdict
    found: bool


MISSED = Found(Verdict.DUNNO, False)


def search(evaluation: Evaluation, table: MapName, keys: Keys, subject: Subject) -> Found:
    """Look for the first key that a table has, and do what it says."""
    try:
        for key, part in keys:
            value = find(evaluation, (table,), key, part=part)
            if value is not None:
                return Found(act(evaluation, table, value, subject), True)
    except TableFailed:
        return Found(act(evaluation, table, _ERROR, subject), True)
    return MISSED


def domain_keys(evaluation: Evaluation, name: bytes) -> Keys:
    """A name, and all above it; an address is alone."""
    if name:
        yield name, False
        if not is_address(name):
            for parent in parents(name, bare=holds_below(evaluation, _PARAMETER)):
                yield parent, True


def address_keys(address: bytes) -> Keys:
    """An address, and what is left of it when it is cut at its last sign, and so on: ``192.0.2``, ``192.0``."""
    delimiter = b":" if b":" in address else b"."
    part = False
    while True:
        yield address, part
        address, cut, _ = address.rpartition(delimiter)
        part = True
        if not cut:
            return


def _mail_keys(evaluation: Evaluation, resolved: Resolved) -> Keys:
    """``user+ext@dom``, ``user@dom``, ``dom`` and what is above it, ``user+ext@``, ``user@`` (mail_addr_find.c)."""
    locals_ = locals_of(evaluation, resolved.local)
    yield from whole_keys(locals_, resolved.domain)
    yield resolved.domain, True
    for parent in parents(resolved.domain, bare=holds_below(evaluation, _PARAMETER)):
        yield parent, True
    for one in locals_:
        for key in dict.fromkeys((quoted(one, b""), b"%b@" % one)):
            yield key, True


def client(evaluation: Evaluation, restriction: Restriction, subject: Subject) -> Verdict:
    """check_client_access: the verified name, then the address; a name above beats the whole address."""
    facts = evaluation.facts
    subject = Subject(b"%b[%b]" % (facts.name, facts.ip), b"Client host", subject.access)
    return _name_or_address(evaluation, restriction.table, facts.name, subject)


def reverse_client(evaluation: Evaluation, restriction: Restriction, subject: Subject) -> Verdict:
    """check_reverse_client_hostname_access: the name of the PTR record, which permits nobody."""
    name = evaluation.facts.reverse_name
    subject = Subject(name, b"Unverified Client host", subject.access)
    verdict = _name_or_address(evaluation, restriction.table, name, subject)
    forbid_ok(evaluation, restriction, verdict, name)
    return verdict


def channel(evaluation: Evaluation, restriction: Restriction, subject: Subject) -> Verdict:
    """check_channel_access: the class that the client is in, alone; whoever is in none is not looked for."""
    facts = evaluation.facts
    key = facts.channel
    subject = Subject(b"%b[%b]" % (facts.name, facts.ip), b"Client host", subject.access)
    return search(evaluation, restriction.table, iter([(key, False)] if key else ()), subject).verdict


def helo(evaluation: Evaluation, restriction: Restriction, subject: Subject) -> Verdict:
    """check_helo_access: the HELO name, and what is above it."""
    name = evaluation.helo
    if name is None:
        return Verdict.DUNNO
    subject = Subject(name, b"Helo command", subject.access)
    return search(evaluation, restriction.table, domain_keys(evaluation, name), subject).verdict


def sender(evaluation: Evaluation, restriction: Restriction, subject: Subject) -> Verdict:
    """check_sender_access: the null sender has a key of its own."""
    path = evaluation.facts.sender
    if path is None or not path.is_null:
        return _mail(evaluation, restriction.table, SENDER, subject)
    key = evaluation.settings.smtpd_null_access_lookup_key
    return search(evaluation, restriction.table, iter([(key, False)]), Subject(b"", SENDER, subject.access)).verdict


def recipient(evaluation: Evaluation, restriction: Restriction, subject: Subject) -> Verdict:
    """check_recipient_access; who sends mail on to elsewhere is permitted nothing."""
    return _mail(evaluation, restriction.table, RECIPIENT, subject)


def bare_table(evaluation: Evaluation, restriction: Restriction, subject: Subject) -> Verdict:
    """A table without a restriction before it: the list's own check."""
    check = _OWN_CHECKS.get(subject.access)
    if check is None:
        evaluation.fail(f"specify a check_..._access before {subject.kind.decode()} restriction {restriction.table}")
    return check(evaluation, restriction, subject)


def forbid_ok(evaluation: Evaluation, restriction: Restriction, verdict: Verdict, target: bytes) -> None:
    """Refuse to permit by what a stranger decides (forbid_allowlist)."""
    if verdict is Verdict.OK and not evaluation.discard:
        evaluation.warn(f"restriction {restriction.name} returns OK for {shown(target)}: use DUNNO for an exception")
        evaluation.fail("this is not allowed for security reasons")


def _name_or_address(evaluation: Evaluation, table: MapName, name: bytes, subject: Subject) -> Verdict:
    of_name = search(evaluation, table, domain_keys(evaluation, name), subject)
    if of_name.found:
        return of_name.verdict
    return search(evaluation, table, address_keys(evaluation.facts.ip), subject).verdict


def _mail(evaluation: Evaluation, table: MapName, kind: bytes, subject: Subject) -> Verdict:
    path = wanted(evaluation, kind)
    if path is None:
        return Verdict.DUNNO
    resolved = resolved_or_refused(evaluation, path)
    subject = Subject(said(path), kind, subject.access)
    verdict = search(evaluation, table, _mail_keys(evaluation, resolved), subject).verdict
    untrusted = resolved.routed and not evaluation.settings.destinations.allow_untrusted_routing
    return Verdict.DUNNO if verdict is Verdict.OK and untrusted and kind == RECIPIENT else verdict


_OWN_CHECKS: dict[str | None, Check] = {
    "check_client_access": client,
    "check_helo_access": helo,
    "check_sender_access": sender,
    "check_recipient_access": recipient,
}
