"""Traps in domains: those of ours that the backend refuses, and those that strangers may borrow."""

from collections.abc import Iterator

from ..language.restriction_parameters import LISTS
from ..maps.names import PATTERNS, Broken
from ..restrictions.checks.actions import restrictions_of
from ..restrictions.configured import DOMAINS
from ..restrictions.restriction import TABLE
from .entries import Entry, told
from .finding import Finding, warning
from .open_relay import domain_of_expression
from .subject import Subject


def unknown_to_backend(subject: Subject) -> Iterator[Finding]:
    """Find domains of ours that qmail's rcpthosts do not have: the backend refuses what the gate lets pass."""
    configuration = subject.reading.configuration
    for name in filter(configuration.is_given, DOMAINS):
        for word in subject.reading.words(name):
            domain = word.text.lower().encode("utf-8", "surrogateescape")
            is_name = b":" not in domain and not domain.startswith((b"!", b"/", b"localhost"))
            if is_name and subject.around.holds(domain) is False:
                sentence = f"{word.text} of {name} is not in rcpthosts, and qmail-smtpd refuses mail for it"
                yield warning(word.where, sentence, "add it to control/rcpthosts")


def borrowed_senders(subject: Subject) -> Iterator[Finding]:
    """Find tables that permit senders of our own domains: any stranger may write one."""
    for name in LISTS:
        for one, _ in subject.reading.placed(name):
            is_bare = one.name == TABLE and name == "smtpd_sender_restrictions"
            if not is_bare and one.name != "check_sender_access":
                continue
            contents = subject.contents(one.table)
            for entry in () if isinstance(contents, Broken) else contents:
                if _is_of_ours(one.table.kind, entry, subject) and _permits(entry, subject):
                    sentence = f"{one.table} permits {told(entry)}, a sender of ours that any stranger may write"
                    yield warning(one.where, sentence, "use permit_mynetworks, or let it say DUNNO")
                    break


def _is_of_ours(kind: str, entry: Entry, subject: Subject) -> bool:
    domain = domain_of_expression(entry.key) if kind in PATTERNS else entry.key.lower().rpartition(b"@")[2]
    return bool(domain) and subject.is_ours(domain.lstrip(b".")) is True


def _permits(entry: Entry, subject: Subject) -> bool:
    found = restrictions_of(entry.value, "", subject.reading.classes)
    return bool(found) and found[0].name == "permit"
