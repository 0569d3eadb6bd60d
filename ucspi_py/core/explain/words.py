"""Restrictions, questions and answers in words. Never judges."""

import ipaddress
import re
from collections.abc import Iterator, Mapping

from ..dnsbl.zone import Zone
from ..gate.maps.names import Broken
from ..gate.restrictions.facts import UNKNOWN, Facts, NameStatus
from ..gate.restrictions.questions import (
    AAAA,
    MX,
    NS,
    A,
    Answer,
    DnsAnswer,
    DnsFailure,
    DnsQuestion,
    GreylistQuestion,
    Listed,
    MapQuestion,
    OwnQuestion,
    PolicyFailure,
    PolicyQuestion,
    Question,
    Visited,
    ZoneFailure,
    ZoneQuestion,
)
from ..gate.restrictions.restriction import CLASS, FLAWED, TABLE, Restriction
from ..gate.restrictions.services import greylisting
from ..store import url
from ..text import shown

_KINDS = {A: "A", NS: "NS", MX: "MX", AAAA: "AAAA"}
#: Behind the program's name, and as the last field of a screen's line.
_OF_SESSION = re.compile(rb"^(?P<who>smtpgate(?=\[)|\w+: \S+(?= pid ))(?:\[\d+\]| pid \d+)|;? id=\d+$")
_OWN = {True: "is in rcpthosts", False: "is not in rcpthosts", None: "cannot be looked up in rcpthosts"}


def restriction_text(restriction: Restriction) -> str:
    """Write a restriction as main.cf has it."""
    argument = restriction.argument
    if restriction.name == FLAWED:
        return f"({restriction.text})"
    if argument is None:
        return restriction.name
    if restriction.name == "check_greylist":
        return f"{restriction.name} {url.shown(restriction.store)}"
    text = shown(argument.name) if isinstance(argument, Zone) else str(argument)
    return text if restriction.name in (CLASS, TABLE) else f"{restriction.name} {text}"


def log_text(line: bytes) -> str:
    """Tell a line of the log without what is another one in each session: its process, and its id."""
    return shown(_OF_SESSION.sub(lambda found: found["who"] or b"", line))


def facts(asked: Mapping[Question, Answer]) -> tuple[str, ...]:
    """Tell what was asked, and what the answers were, a line each; keys that a table does not have are one line."""
    return tuple(_facts(asked))


def _facts(asked: Mapping[Question, Answer]) -> Iterator[str]:
    missing: dict[str, list[str]] = {}
    for question, answer in asked.items():
        match question:
            case MapQuestion(table, key) if answer is None:
                missing.setdefault(str(table), []).append(shown(key))
            case MapQuestion(table, key):
                yield f"{table} has {shown(key)}: {_value(answer)}"
            case DnsQuestion(name, kind):
                yield f"DNS {_KINDS[kind]} {shown(name)}: {_records(question, answer)}"
            case ZoneQuestion(zone, subject):
                yield f"{shown(zone.name)} about {shown(subject)}: {_listing(answer)}"
            case GreylistQuestion(attempt):
                yield f"triplet of {shown(attempt.sender) or '<>'} and {shown(attempt.recipient)}: {_visit(answer)}"
            case OwnQuestion(domain):
                yield f"{shown(domain)} {_OWN[answer if isinstance(answer, bool) else None]}"
            case PolicyQuestion(service):
                yield f"{service} {_action(answer)}"
    for table_name, keys in missing.items():
        yield f"{table_name} has none of {', '.join(keys)}"


def _visit(answer: Answer) -> str:
    if isinstance(answer, Visited):
        return shown(greylisting.words(answer.verdict))
    return "is not asked about: it is refused"


def _value(answer: Answer) -> str:
    return answer.sentence if isinstance(answer, Broken) else shown(answer) if isinstance(answer, bytes) else ""


def _action(answer: Answer) -> str:
    if answer is PolicyFailure.UNASKED:
        return "is not asked: the service would count this client"
    return f"says {shown(answer)}" if isinstance(answer, bytes) else "gives no answer"


def _records(question: DnsQuestion, answer: Answer) -> str:
    if not isinstance(answer, DnsAnswer):
        return answer.value if isinstance(answer, DnsFailure) else ""
    if question.kind in (A, AAAA):
        return ", ".join(str(ipaddress.ip_address(record)) for record in answer.records)
    return ", ".join(shown(record) or "." for record in answer.records)


def _listing(answer: Answer) -> str:
    if isinstance(answer, Listed):
        return f"listed, {shown(answer.text)}" if answer.text else "listed"
    return "not listed" if answer is ZoneFailure.NOT_LISTED else "no answer to be believed"


def client_text(facts: Facts) -> str:
    """Tell how lists see the client: its name where that leads back, and its address."""
    seen = f"client: {shown(facts.name)}[{shown(facts.ip)}]"
    relays = ", may relay" if facts.relays else ""
    relays += f", logged in as {shown(facts.login)}" if facts.login else ""
    if facts.name_status is NameStatus.OK:
        return seen + relays
    reverse = "" if facts.reverse_name == UNKNOWN else f", {shown(facts.reverse_name)} by PTR alone"
    return f"{seen}, name {facts.name_status.value}{reverse}{relays}"
