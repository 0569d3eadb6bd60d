"""What name servers and zones have said -> the answers to a restriction's questions. Never asks them."""

from typing import NamedTuple

from ...address import is_ipv6, reversed_name
from ...dns.message import Absent, Answer, Failed, Found
from ...dnsbl import answers as dnsbl
from .addresses.hostname import is_address, is_hostname
from .facts import UNKNOWN, NameStatus
from .questions import DnsAnswer, DnsFailure, DnsOutcome, Listed, ZoneFailure, ZoneOutcome, ZoneQuestion

#: The root, as a name in a record has it.
_ROOT = b"."


class ClientName(NamedTuple):
    """What a client is called, as of Facts."""

    name: bytes = UNKNOWN
    name_status: NameStatus = NameStatus.ABSENT
    reverse_name: bytes = UNKNOWN
    reverse_name_status: NameStatus = NameStatus.ABSENT


def dns_outcome(answer: Answer) -> DnsOutcome:
    """Tell what an answer of the name servers is to a DnsQuestion."""
    match answer:
        case Found(records):
            return DnsAnswer(tuple(b"" if record == _ROOT else record for record in records))
        case Absent():
            return DnsFailure.NOT_FOUND
        case Failed():
            return DnsFailure.REFUSED if answer.is_refusal else DnsFailure.TRY_AGAIN


def zone_outcome(finding: dnsbl.Finding) -> ZoneOutcome:
    """Tell what a zone's finding is to a ZoneQuestion."""
    match finding:
        case dnsbl.Listed(text):
            return Listed(text)
        case dnsbl.Clean():
            return ZoneFailure.NOT_LISTED
        case dnsbl.Failing():
            return ZoneFailure.UNKNOWN


def zone_name(question: ZoneQuestion) -> bytes | None:
    """Form the name to ask a zone about; None = it is not to be asked. Private addresses are asked about, as Postfix
    does."""
    if question.is_domain:
        return b"%b.%b" % (question.subject, question.zone.name)
    return dnsbl.query(question.zone, question.subject, ask_private=True) if is_address(question.subject) else None


def reverse_question(ip: bytes) -> bytes | None:
    """Form the name whose PTR record is the name of an address; None where it is no address."""
    return reversed_name(ip) + (b"ip6.arpa" if is_ipv6(ip) else b"in-addr.arpa") if is_address(ip) else None


def reverse_name(answer: Answer) -> ClientName:
    """Tell a client's name by its PTR record; it has still to be verified (smtpd_peer.c)."""
    if isinstance(answer, Failed):
        return ClientName(name_status=NameStatus.FAILED, reverse_name_status=NameStatus.FAILED)
    if isinstance(answer, Absent) or not is_hostname(answer.records[0]):
        return ClientName()
    name = answer.records[0]
    return ClientName(name, NameStatus.OK, name, NameStatus.OK)


def verified(client: ClientName, packed: bytes, answer: Answer) -> ClientName:
    """Verify a name by its addresses. packed: the client's, 4 or 16 bytes. answer: of A or AAAA."""
    if isinstance(answer, Found) and packed in answer.records:
        return client
    status = NameStatus.FORGED
    if not isinstance(answer, Found):
        status = NameStatus.FAILED if isinstance(answer, Failed) else NameStatus.ABSENT
    return client._replace(name=UNKNOWN, name_status=status)
