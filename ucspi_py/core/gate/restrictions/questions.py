"""What a restriction must know that the client has not said, and the answers. Never asks anybody."""

import enum
from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from ...dnsbl.zone import Zone
from ...greylist import attempt as greylist
from ..maps.names import Broken, MapName

if TYPE_CHECKING:
    from ..policy.settings import PolicyService

#: Record types: RFC 1035, 3.2.2, and RFC 3596, 2.1.
A, NS, MX, AAAA = 1, 2, 15, 28


class DnsQuestion(NamedTuple):
    """The records of a dotted name. kind: their type, A, NS, MX or AAAA."""

    name: bytes
    kind: int


class ZoneQuestion(NamedTuple):
    """Whether a zone lists an address, or a domain.

    zone: with the codes that list. subject: a canonical address, or a name. is_domain: which of both it is.
    """

    zone: Zone
    subject: bytes
    is_domain: bool


class MapQuestion(NamedTuple):
    """The value of a key, one exact lookup: no parts of it, no folding."""

    map: MapName
    key: bytes


class OwnQuestion(NamedTuple):
    """Whether the mail system behind takes mail for a domain (relay.OwnDomains.holds)."""

    domain: bytes


class GreylistQuestion(NamedTuple):
    """Whether an attempt to deliver has waited long enough. To ask is a visit, which leaves a record."""

    attempt: greylist.Attempt


class PolicyQuestion(NamedTuple):
    """What a policy service says of a command; its answer is of this command alone.

    request: as it is sent. place: which of the services that the command comes by: each is asked anew.
    """

    service: "PolicyService"
    request: bytes
    place: int


Question = DnsQuestion | ZoneQuestion | MapQuestion | OwnQuestion | GreylistQuestion | PolicyQuestion


class DnsAnswer(NamedTuple):
    """The records of a name, in their order, its aliases followed.

    records: 4 or 16 bytes of an address; the dotted name of a server, b"" for the root (RFC 7505, a null MX).
    """

    records: tuple[bytes, ...]


class DnsFailure(enum.Enum):
    """Why there are no records.

    NOT_FOUND: there are none, or there is no such name. TRY_AGAIN: nobody said so: SERVFAIL, a timeout. REFUSED: any
    other error of a server. MALFORMED: its reply has names that are none.
    """

    NOT_FOUND = "not found"
    TRY_AGAIN = "try again"
    REFUSED = "refused"
    MALFORMED = "malformed"


class Listed(NamedTuple):
    """The zone lists it. text: of its TXT records, b"" where it has none."""

    text: bytes = b""


class ZoneFailure(enum.Enum):
    """NOT_LISTED: the zone does not list it. UNKNOWN: the zone cannot be believed, or was not to be reached."""

    NOT_LISTED = "not listed"
    UNKNOWN = "unknown"


class Visited(NamedTuple):
    """What came of a visit. header: for the top of the message, without its line's end; b"" = none."""

    verdict: greylist.Verdict
    header: bytes = b""


class PolicyFailure(enum.Enum):
    """Why a policy service says nothing. FAILED: it gives no answer. UNASKED: nobody is to be asked."""

    FAILED = "no answer"
    UNASKED = "not asked"


DnsOutcome = DnsAnswer | DnsFailure
ZoneOutcome = Listed | ZoneFailure
#: The value of a key; None = the table has no such key. Whoever finds one broken says so.
MapOutcome = bytes | Broken | None
#: None = it cannot be told now.
OwnOutcome = bool | None
#: None = there was no visit: what comes after the lists refuses.
GreylistOutcome = Visited | None
#: The action of a reply.
PolicyOutcome = bytes | PolicyFailure

Answer = DnsOutcome | ZoneOutcome | MapOutcome | OwnOutcome | GreylistOutcome | PolicyOutcome
#: What is known so far: of each question its answer, of its own kind.
Known = Mapping[Question, Answer]
