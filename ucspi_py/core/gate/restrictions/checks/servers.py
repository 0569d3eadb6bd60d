"""check_..._{mx,ns,a}_access: the servers of a name, and their addresses (smtpd_check.c, check_server_access)."""

import ipaddress
from collections.abc import Iterator

from ....text import shown
from ...maps.names import MapName
from ..addresses.address import RECIPIENT, SENDER, said, wanted
from ..addresses.hostname import in_ascii, is_address, mail_address, without_dot
from ..evaluation import Check, Evaluation, Subject
from ..facts import UNKNOWN
from ..judgement import Verdict
from ..names import SERVER_CHECKS
from ..questions import AAAA, MX, NS, A, DnsAnswer, DnsFailure, DnsQuestion
from ..restriction import Restriction
from .access import MISSED, Found, address_keys, domain_keys, forbid_ok, search
from .mail_host import is_queried, is_server

_KINDS = {"mx": MX, "ns": NS, "a": A}


def _check(who: str, kind: int) -> Check:
    """A check of the servers of a name. who: whose name. kind: which servers, MX, NS or A, the host itself."""

    def judge(evaluation: Evaluation, restriction: Restriction, subject: Subject) -> Verdict:
        name, about = _named(evaluation, who)
        if not name:
            return Verdict.DUNNO
        about = about._replace(access=subject.access)
        verdict = _judged(evaluation, restriction.table, name, kind, about)
        forbid_ok(evaluation, restriction, verdict, name)
        return verdict

    return judge


SERVER_ACCESS = {name: _check(who, _KINDS[kind]) for name, (who, kind) in SERVER_CHECKS.items()}


def _named(evaluation: Evaluation, who: str) -> tuple[bytes, Subject]:
    """Whose servers are meant, b"" for nobody's, and what a reply says of that."""
    facts = evaluation.facts
    if who in ("sender", "recipient"):
        kind = SENDER if who == "sender" else RECIPIENT
        path = wanted(evaluation, kind)
        name = said(path) if path else b""
        return name, Subject(name, kind, None)
    if who == "helo":
        return evaluation.helo or b"", Subject(evaluation.helo or b"", b"Helo command", None)
    if who == "client":
        name, subject = facts.name, Subject(b"%b[%b]" % (facts.name, facts.ip), b"Client host", None)
    else:
        name, subject = facts.reverse_name, Subject(facts.reverse_name, b"Unverified Client host", None)
    return b"" if name.lower() == UNKNOWN else name, subject


def _judged(evaluation: Evaluation, table: MapName, name: bytes, kind: int, subject: Subject) -> Verdict:
    domain = name.rpartition(b"@")[2]
    if domain.startswith(b"["):
        address = mail_address(domain[1:-1]) if domain.endswith(b"]") and kind != NS else None
        return search(evaluation, table, address_keys(address), subject).verdict if address else Verdict.DUNNO
    for server in _servers(evaluation, in_ascii(domain), kind):
        found = _of_server(evaluation, table, server, kind, subject)
        if found.found:
            return found.verdict
    return Verdict.DUNNO


def _servers(evaluation: Evaluation, domain: bytes, kind: int) -> tuple[bytes, ...]:
    """The names of the servers of a domain; none where nobody can tell. One without MX records is its own."""
    if kind == A:
        return (domain,)
    answer = _records(evaluation, domain, kind)
    while kind == NS and answer is DnsFailure.NOT_FOUND and domain.partition(b".")[2]:
        domain = domain.partition(b".")[2]
        answer = _records(evaluation, domain, kind)
    if isinstance(answer, DnsAnswer):
        if kind == MX and b"" in answer.records:
            return ()
        servers = tuple(filter(is_server, answer.records))
        if servers:
            return servers
    elif kind == MX and answer is DnsFailure.NOT_FOUND:
        return (domain,)
    evaluation.warn(f"Unable to look up {'MX' if kind == MX else 'NS'} host for {shown(domain)}")
    return ()


def _records(evaluation: Evaluation, name: bytes, kind: int) -> DnsAnswer | DnsFailure:
    return evaluation.records(name, kind) if is_queried(name) else DnsFailure.NOT_FOUND


def _of_server(evaluation: Evaluation, table: MapName, server: bytes, kind: int, subject: Subject) -> Found:
    """Look a server up by its name, and then by its addresses."""
    if is_address(server):
        return search(evaluation, table, address_keys(server), subject)
    if kind != A:
        found = search(evaluation, table, domain_keys(evaluation, server), subject)
        if found.found:
            return found
    for address in _addresses(evaluation, server):
        found = search(evaluation, table, address_keys(address), subject)
        if found.found:
            return found
    return MISSED


def _addresses(evaluation: Evaluation, server: bytes) -> Iterator[bytes]:
    """The addresses of a server; here a dot may end its name (getaddrinfo)."""
    server = without_dot(server)
    if not is_queried(server):
        return
    evaluation.need(DnsQuestion(server, A), DnsQuestion(server, AAAA))
    for kind in (A, AAAA):
        answer = evaluation.records(server, kind)
        if isinstance(answer, DnsAnswer):
            yield from (str(ipaddress.ip_address(packed)).encode("ascii") for packed in answer.records)
