"""One zone as the operator writes it: its name and how its answers are to be read. Never asks it.

    [alias@]name[+v6][+notest][=codes][*weight][:text]

alias: what replies and logs call it, for names that hold a key. +v6: it knows IPv6 addresses. +notest: it has no test
points. =codes: the A records that list, as in Postfix, ``127.0.0.[2..11;40]``. *weight: for -T, below 0 to speak for a
client. :text: the reply where the zone has no text of its own, %IP% is the client.
"""

import re
from dataclasses import dataclass

from ..errors import AskedWrongly

_ZONE = re.compile(
    r"(?:(?P<alias>[^@=*:+]+)@)?(?P<name>[^@=*:+]+)(?P<flags>(?:\+\w+)*)"
    r"(?:=(?P<codes>[^*:]+))?(?:\*(?P<weight>-?\d{1,4}))?(?::(?P<text>.*))?",
    re.DOTALL | re.ASCII,
)
_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?", re.ASCII | re.IGNORECASE)
_OCTET = re.compile(r"\d{1,3}|\[(\d{1,3}(?:\.\.\d{1,3})?(?:;\d{1,3}(?:\.\.\d{1,3})?)*)\]", re.ASCII)
_FLAGS = frozenset(("v6", "notest"))
_FORM = "[alias@]name[+v6][+notest][=codes][*weight][:text]"

#: RFC 1035, 2.3.4: bytes in a label, and in a name with the length before each label and a 0 at its end.
_LABEL_LIMIT, _NAME_LIMIT = 63, 255
#: Bytes of a reversed address and its last dot.
_IPV4_FRONT, _IPV6_FRONT = 16, 64

#: The octets that list, one set for each place.
Codes = tuple[frozenset[int], ...]
#: The places of 127.255.255.x, in which zones tell of errors.
_ERRORS = (frozenset((127,)), frozenset((255,)), frozenset((255,)))


@dataclass(frozen=True, slots=True)
class Zone:
    """One -r or -a of rblsmtpd with the flags written before it.

    name, alias: what the servers and what people call it. allow: an -a zone. bounce, fail_closed: -b, -c were in force.
    codes: the A records that list, None = any of 127.0.0.0/8. weight: None = none written. text: the reply, None = none
    written, b"" = none is wanted. ipv6: may be asked about IPv6 addresses. tested: has the test points of RFC 5782.
    """

    name: bytes
    alias: bytes
    allow: bool = False
    bounce: bool = False
    fail_closed: bool = False
    codes: Codes | None = None
    weight: int | None = None
    text: bytes | None = None
    ipv6: bool = False
    tested: bool = True

    def __hash__(self) -> int:
        """By the name alone: of a zone that is known, hardly another one has it."""
        return hash(self.name)

    @property
    def address_lists(self) -> bool:
        """Whether an A record alone lists; for a plain -r zone a TXT record must be there too, as in C."""
        return self.allow or self.codes is not None or self.text is not None

    def counts(self, address: bytes) -> bool:
        """Whether an A record (4 bytes, of 127.0.0.0/8) is one of those that list."""
        return self.codes is None or all(octet in wanted for octet, wanted in zip(address, self.codes, strict=True))


def parse(words: str, *, allow: bool = False, bounce: bool = False, fail_closed: bool = False) -> Zone:
    """Parse the word behind -r or -a. Raises AskedWrongly, which names what was expected."""
    found = _ZONE.fullmatch(words)
    flags = set(found["flags"].split("+")[1:]) if found else set()
    if not found or not flags <= _FLAGS:
        raise AskedWrongly(f"zone '{words}' must be {_FORM}")
    if flaw := _flaw(found["name"], found["alias"] or "", found["text"] or "", ipv6="v6" in flags):
        raise AskedWrongly(f"zone '{words}' must be {_FORM} with a domain name, as in bl.example.org: {flaw}")
    name = _bytes(found["name"])
    return Zone(
        name=name,
        alias=_bytes(found["alias"]) if found["alias"] else name,
        allow=allow,
        bounce=bounce,
        fail_closed=fail_closed,
        codes=_codes(found["codes"]) if found["codes"] else None,
        weight=int(found["weight"]) if found["weight"] else None,
        text=_bytes(found["text"]) if found["text"] else None,
        ipv6="v6" in flags,
        tested="notest" not in flags,
    )


def _flaw(name: str, alias: str, text: str, *, ipv6: bool) -> str:
    """Return why such a zone could never list anybody, or not be logged; "" where it can."""
    labels = name.removesuffix(".").split(".")
    odd = next((label for label in labels if label and not _LABEL.fullmatch(label)), None)
    front = _IPV6_FRONT if ipv6 else _IPV4_FRONT
    flaws = (
        ("a URL is no zone", text.startswith("//")),
        ("a zone has no port", text.isdecimal()),
        ("it has an empty label", not all(labels)),
        (f"'{odd}' is no label", odd is not None),
        ("an address is no zone", labels[-1].isdecimal()),
        ("a label is longer than 63", any(len(label) > _LABEL_LIMIT for label in labels)),
        ("it is too long", front + sum(len(label) + 1 for label in labels) + 1 > _NAME_LIMIT),
        (f"the alias '{alias}' has a blank", any(map(str.isspace, alias))),
    )
    return next((flaw for flaw, is_so in flaws if is_so), "")


def _codes(text: str) -> Codes:
    octets = list(_OCTET.finditer(text))
    if ".".join(octet[0] for octet in octets) != text or len(octets) != 4:
        raise AskedWrongly(f"codes '{text}' must be four numbers or lists, as in 127.0.0.[2..11;40]")
    codes = tuple(_octets(octet[1] or octet[0]) for octet in octets)
    if 127 not in codes[0] or codes[:3] == _ERRORS:
        raise AskedWrongly(f"codes '{text}' must be in 127.0.0.0/8 and not in 127.255.255.0/24, which lists nobody")
    return codes


def _octets(text: str) -> frozenset[int]:
    numbers: set[int] = set()
    for piece in text.split(";"):
        first, _, last = piece.partition("..")
        octets = range(int(first), int(last or first) + 1)
        if not octets or octets[-1] > 255:
            raise AskedWrongly(f"codes '{text}' must be numbers up to 255, the smaller one first")
        numbers.update(octets)
    return frozenset(numbers)


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
