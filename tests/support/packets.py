"""DNS answers in wire form: dnspython makes them, and reads them beside our own reader."""

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.opcode
import dns.rcode
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.rdtypes.ANY.PTR
import dns.rdtypes.ANY.TXT
import dns.rrset
import dns.version

from ucspi_py.core.dns.message import PROTOCOL_ERROR, PTR, Absent, Answer, Failed, Found, Question, Truncated
from ucspi_py.core.dns.name import dotted
from ucspi_py.system.lookup.dns_reader import read

ID = 0xBEEF

Reply = Answer | type[Truncated]

#: Before 2.9 a label that a pointer leads to may reach over the place where its name begins.
_IS_OLD = dns.version.MAJOR == 2 and dns.version.MINOR < 9


def ours(said: bytes, asked: Question) -> Reply:
    """Our answer."""
    try:
        return read(said, asked)
    except Truncated:
        return Truncated


def theirs(said: bytes, asked: Question) -> Reply | None:
    """The answer in dnspython's reading of the packet; None where it does not accept it, or takes it for an update."""
    try:
        message = dns.message.from_wire(said, one_rr_per_rrset=True)
    except (dns.exception.DNSException, ValueError):  # ValueError: an opcode, before dnspython 2.7
        return None
    if message.opcode() != dns.opcode.QUERY or (_IS_OLD and ours(said, asked) == PROTOCOL_ERROR):
        return None
    if message.flags & dns.flags.TC:
        return Truncated
    if message.rcode() & 15 not in (0, 3):
        return Failed("temporary failure")
    wanted = [rrset for rrset in message.answer if (rrset.rdtype, rrset.rdclass) == (asked.kind, dns.rdataclass.IN)]
    if wanted:
        records = [_data(rdata) for rrset in wanted[: 1 if asked.kind == PTR else None] for rdata in rrset]
        return Found(tuple(records), wanted[0].ttl if asked.kind == PTR else min(rrset.ttl for rrset in wanted))
    authority = message.authority[:1]
    ttl = authority[0].ttl if authority and authority[0].rdtype == dns.rdatatype.SOA else 0
    return Absent(message.rcode() & 15 == dns.rcode.NOERROR, ttl)


def _data(rdata: dns.rdata.Rdata) -> bytes:
    if isinstance(rdata, dns.rdtypes.ANY.PTR.PTR):
        return dotted(rdata.target.labels)
    return b"".join(rdata.strings) if isinstance(rdata, dns.rdtypes.ANY.TXT.TXT) else rdata.to_wire() or b""


def response(asked: Question, texts: list[list[bytes]]) -> bytes:
    """dnspython's answer: an alias, the texts, and an address for each of them, compressed; or that there are none."""
    message = dns.message.make_response(dns.message.from_wire(asked.packet(ID)))
    name = message.question[0].name
    if not texts:
        soa = "ns.example. x.example. 1 2 3 4 5"
        message.authority.append(dns.rrset.from_text(name, 900, "IN", "SOA", soa))
        return message.to_wire()
    message.answer.append(dns.rrset.from_text(name, 60, "IN", "CNAME", "alias.example."))
    for pieces in texts:
        text = dns.rdtypes.ANY.TXT.TXT(dns.rdataclass.IN, dns.rdatatype.TXT, pieces)
        message.answer.append(dns.rrset.from_rdata(name, 60, text))
        message.answer.append(dns.rrset.from_text(name, 60, "IN", "A", f"127.0.0.{len(pieces)}"))
        target = dns.name.Name((b"Mail", *name.labels))
        pointer = dns.rdtypes.ANY.PTR.PTR(dns.rdataclass.IN, dns.rdatatype.PTR, target)  # type: ignore[no-untyped-call]
        message.answer.append(dns.rrset.from_rdata(name, 30 * len(pieces), pointer))
    return message.to_wire(max_size=65535)
