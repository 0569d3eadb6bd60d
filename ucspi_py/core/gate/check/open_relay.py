"""Whether the lists let a stranger send mail to elsewhere, by looking at all that they could say of one.

A stranger is not in mynetworks, has no login and no certificate, and says any HELO name and any sender. What the gate's
own last check says is left out: another server with the same file does not have it.
"""

from collections.abc import Iterator
from typing import NamedTuple

from ..maps.names import PATTERNS, Broken, MapName
from ..restrictions.checks.actions import restrictions_of
from ..restrictions.names import RELAY_CHECKS
from ..restrictions.restriction import CLASS, TABLE, WARN_IF_REJECT, Restriction, Restrictions
from .entries import ANY, Entry, told
from .finding import Finding, warning
from .subject import Subject

_CLIENT, _HELO, _SENDER = "smtpd_client_restrictions", "smtpd_helo_restrictions", "smtpd_sender_restrictions"
_RELAY, _RECIPIENT = "smtpd_relay_restrictions", "smtpd_recipient_restrictions"
_BEFORE_RCPT = (_CLIENT, _HELO, _SENDER)
_OWN_CHECKS = {
    _CLIENT: "check_client_access",
    _HELO: "check_helo_access",
    _SENDER: "check_sender_access",
    _RELAY: "check_recipient_access",
    _RECIPIENT: "check_recipient_access",
}
#: Lists in tables that lead to lists in tables.
_DEPTH_LIMIT = 20
_BEHIND = "put it behind reject_unauth_destination"
_DUNNO = f"{_BEHIND}, or let it say DUNNO"
#: Checks of a table whose OK permits; the others of Postfix's refuse to (forbid_allowlist).
_REMEDIES = {
    "check_client_access": f"name these clients in mynetworks, or {_BEHIND}",
    "check_helo_access": _DUNNO,
    "check_sender_access": _DUNNO,
    "check_recipient_access": _DUNNO,
}
#: Names that permit whom others than we have chosen.
_PERMITS = {
    "permit": "put the relay check before it",
    "check_policy_service": f"{_BEHIND}: an OK of the service relays",
    "permit_tls_all_clientcerts": "have an authority of your own: whoever has a certificate of smtpd_tls_CAfile relays",
    "permit_mx_backup": "list the domains in relay_domains",
    "permit_naked_ip_address": "use permit_mynetworks",
}


class Way(NamedTuple):
    """How a stranger is permitted. where: the restriction's place. by: what permits. remedy: what to do."""

    where: str
    by: str
    remedy: str


class Passage(NamedTuple):
    """How a stranger comes by a list. ways: on which it is permitted. ends: it may come to the end unrefused."""

    ways: tuple[Way, ...]
    ends: bool


class _Walk(NamedTuple):
    """Where in the lists we are. is_warned: behind warn_if_reject. depth: of lists in lists."""

    subject: Subject
    name: str
    has_recipient: bool
    is_warned: bool = False
    depth: int = 0

    def deeper(self, *, is_warned: bool) -> "_Walk":
        return self._replace(is_warned=self.is_warned or is_warned, depth=self.depth + 1)


def open_relays(subject: Subject) -> Iterator[Finding]:
    """Find each restriction by which mail of strangers for elsewhere passes the relay and the recipient list."""
    is_delayed = subject.reading.text("smtpd_delay_reject") != "no"
    walks = {name: _Walk(subject, name, is_delayed or name not in _BEFORE_RCPT) for name in _OWN_CHECKS}
    passages = {name: _passage(subject.reading.lists[name], walk) for name, walk in walks.items()}
    if not all(one.ways or one.ends for one in passages.values()):
        return
    for name in (_RELAY, _RECIPIENT):
        for way in passages[name].ways:
            sentence = (
                f"mail of strangers for elsewhere passes by {way.by} and only the gate's own last check refuses it"
            )
            yield warning(way.where, sentence, way.remedy)


def _passage(restrictions: Restrictions, walk: _Walk) -> Passage:
    ways: tuple[Way, ...] = ()
    is_warned = False
    for one in restrictions:
        if one.name == WARN_IF_REJECT:
            is_warned = True
            continue
        of_one = _of_one(one, walk.deeper(is_warned=is_warned))
        ways += of_one.ways
        if not of_one.ends:
            return Passage(ways, False)
        is_warned = False
    return Passage(ways, True)


def _of_one(one: Restriction, walk: _Walk) -> Passage:
    if walk.depth > _DEPTH_LIMIT:
        return Passage((), True)
    if one.name == CLASS:
        return _passage(walk.subject.reading.classes[one.text], walk)
    if one.name in _PERMITS:
        return Passage((Way(one.where, one.name, _PERMITS[one.name]),), one.name != "permit")
    if one.name in RELAY_CHECKS:
        refuses = walk.has_recipient or not one.name.endswith("_destination")
        return Passage((), walk.is_warned or not refuses)
    name = _OWN_CHECKS[walk.name] if one.name == TABLE else one.name
    return _of_table(one, name, walk) if name in _REMEDIES else Passage((), True)


def _of_table(one: Restriction, name: str, walk: _Walk) -> Passage:
    """The first entry that permits stands for all of them."""
    if name == "check_recipient_access" and not walk.has_recipient:
        return Passage((), True)
    contents = walk.subject.contents(one.table)
    by = f"{name} {one.table}" if one.name == name else str(one.table)
    if isinstance(contents, Broken):
        unread = Way(one.where, f"any OK in {by}, which cannot be read now,", _REMEDIES[name])
        return Passage((unread,), True)
    ends = True
    for entry in contents:
        if name == "check_recipient_access" and not _may_be_foreign(one.table, entry, walk.subject):
            continue
        inner = _passage(_restrictions(one.table, entry, walk.subject), walk)
        ends = ends and (inner.ends or entry.key != ANY)
        if inner.ways:
            way = Way(one.where, f"{by}, which permits {told(entry)},", _REMEDIES[name])
            return Passage((way,), inner.ends or entry.key != ANY)
    return Passage((), ends)


def _restrictions(table: MapName, entry: Entry, subject: Subject) -> Restrictions:
    return restrictions_of(entry.value, table, subject.reading.classes)


def _may_be_foreign(table: MapName, entry: Entry, subject: Subject) -> bool:
    """Whether an entry may be that of a recipient whose domain is not one of ours."""
    if entry.key == ANY:
        return True
    if table.kind == "cidr":
        return False
    domain = domain_of_expression(entry.key) if table.kind in PATTERNS else entry.key.lower().rpartition(b"@")[2]
    return not domain or not subject.is_ours(domain.lstrip(b"."))


def domain_of_expression(expression: bytes) -> bytes:
    """Find the domain in which all addresses end that an expression matches; "" where they have none in common."""
    if not expression.endswith(b"$") or b"|" in expression:
        return b""
    _, at, domain = expression[:-1].rpartition(b"@")
    plain = domain.replace(rb"\.", b"")
    is_plain = at and plain and all(chr(byte).isalnum() or byte in b"-_" for byte in plain)
    return domain.replace(rb"\.", b".").lower() if is_plain else b""
