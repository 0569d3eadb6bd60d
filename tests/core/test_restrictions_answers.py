"""What name servers and zones have said, as restriction lists hear it."""

import pytest

from ucspi_py.core.dns.message import TIMED_OUT, Absent, Answer, Failed, Found
from ucspi_py.core.dnsbl import answers as dnsbl
from ucspi_py.core.dnsbl.zone import parse
from ucspi_py.core.gate.restrictions import answers
from ucspi_py.core.gate.restrictions.answers import ClientName
from ucspi_py.core.gate.restrictions.facts import NameStatus
from ucspi_py.core.gate.restrictions.questions import (
    DnsAnswer,
    DnsFailure,
    DnsOutcome,
    Listed,
    ZoneFailure,
    ZoneOutcome,
    ZoneQuestion,
)

IP, PACKED, OTHER = b"192.0.2.7", bytes((192, 0, 2, 7)), bytes((192, 0, 2, 8))
NAMED = ClientName(b"mx.example", NameStatus.OK, b"mx.example", NameStatus.OK)
ZONE = parse("bl.example+v6")


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (Found((b"mx.example", b".")), DnsAnswer((b"mx.example", b""))),
        (Absent(), DnsFailure.NOT_FOUND),
        (TIMED_OUT, DnsFailure.TRY_AGAIN),
        (Failed("temporary failure"), DnsFailure.TRY_AGAIN),
        (Failed("temporary failure", is_refusal=True), DnsFailure.REFUSED),
    ],
)
def test_an_answer_of_the_name_servers(answer: Answer, expected: DnsOutcome) -> None:
    """The root is no server."""
    assert answers.dns_outcome(answer) == expected


@pytest.mark.parametrize(
    ("finding", "expected"),
    [
        (dnsbl.Listed(b"go away", b"\x7f\0\0\2"), Listed(b"go away")),
        (dnsbl.CLEAN, ZoneFailure.NOT_LISTED),
        (dnsbl.Failing("timed out"), ZoneFailure.UNKNOWN),
    ],
)
def test_a_finding_of_a_zone(finding: dnsbl.Finding, expected: ZoneOutcome) -> None:
    """A zone that fails lists nobody."""
    assert answers.zone_outcome(finding) == expected


@pytest.mark.parametrize(
    ("subject", "is_domain", "expected"),
    [
        (IP, False, b"7.2.0.192.bl.example"),
        (b"10.0.0.1", False, b"1.0.0.10.bl.example"),
        (b"far.example", True, b"far.example.bl.example"),
        (b"unknown", False, None),
    ],
)
def test_the_name_to_ask_a_zone_about(subject: bytes, is_domain: bool, expected: bytes | None) -> None:
    """Of an address backwards, of a domain as it is."""
    assert answers.zone_name(ZoneQuestion(ZONE, subject, is_domain)) == expected


@pytest.mark.parametrize(
    ("ip", "expected"),
    [(IP, b"7.2.0.192.in-addr.arpa"), (b"::1", b"1." + b"0." * 31 + b"ip6.arpa"), (b"unknown", None)],
)
def test_the_name_of_an_address(ip: bytes, expected: bytes | None) -> None:
    """Stands at its reverse name."""
    assert answers.reverse_question(ip) == expected


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (Found((b"mx.example",)), NAMED),
        (Found((b"a\\040b.example",)), ClientName()),
        (Absent(), ClientName()),
        (TIMED_OUT, ClientName(name_status=NameStatus.FAILED, reverse_name_status=NameStatus.FAILED)),
    ],
)
def test_a_client_is_called_by_its_ptr_record(answer: Answer, expected: ClientName) -> None:
    """If that is the name of a host."""
    assert answers.reverse_name(answer) == expected


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        (Found((OTHER, PACKED)), NameStatus.OK),
        (Found((OTHER,)), NameStatus.FORGED),
        (Absent(exists=True), NameStatus.ABSENT),
        (TIMED_OUT, NameStatus.FAILED),
    ],
)
def test_a_name_must_lead_back(answer: Answer, status: NameStatus) -> None:
    """Else it is only the reverse name."""
    found = answers.verified(NAMED, PACKED, answer)

    assert (found.name_status, found.reverse_name) == (status, b"mx.example")
    assert (found.name == b"mx.example") is (status is NameStatus.OK)
