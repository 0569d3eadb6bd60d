"""The values of an import: the clients of an entry, the rules, what rules cannot express. Never reads a list."""

import re
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, summarize_address_range
from typing import NamedTuple

from ..rules import cidr as rules_cidr
from ..rules import ipv6 as rules_ipv6
from ..rules.cidr import Network

_PREFIX = re.compile(r"(?:[0-9]{1,3}\.){1,3}|[0-9]{1,3}(?:\.[0-9]{1,3}){0,2}")
_HOST_NAME = re.compile(r"[a-z0-9_-]+(?:\.[a-z0-9_-]+)*")


class Name(NamedTuple):
    """A host, or with ``below`` every host whose name ends in a dot and this name. Small letters."""

    text: str
    below: bool


Subject = Network | Name

#: Every client; the default rule.
EVERYBODY = Network(0, 0, 0)
#: Every client whose name is known.
NAMED = Name("", True)
#: Every client without one.
UNNAMED = Name("", False)


class Pattern(NamedTuple):
    """The clients that a word of a list matches, as far as rules can express them.

    inside: subjects that it surely matches. around: subjects beyond which it matches none. why: what is odd about it,
    "" = nothing, and both are the same.
    """

    inside: tuple[Subject, ...]
    around: tuple[Subject, ...]
    why: str = ""

    @classmethod
    def exactly(cls, *subjects: Subject, why: str = "") -> "Pattern":
        """A word that rules can express; without subjects one that matches no client."""
        return cls(subjects, subjects, why)

    @classmethod
    def within(cls, *around: Subject, why: str) -> "Pattern":
        """A word that rules cannot express, and that matches no client beyond these subjects."""
        return cls((), around, why)


class Keys(NamedTuple):
    """A pattern as what stands before the colons of its rules; fields as Pattern's."""

    inside: list[bytes]
    around: list[bytes]
    why: str = ""


class Unsaid(NamedTuple):
    """A piece of a list, ``what``, that rules cannot express. where: its line or file, ``line 7``. why: the reason."""

    where: str
    what: str
    why: str

    def __str__(self) -> str:
        return f"{self.where}: {self.what}: {self.why}"


class Imported(NamedTuple):
    """A list as rules source. lines: without newlines. unsaid: what is missing in them."""

    lines: tuple[bytes, ...]
    unsaid: tuple[Unsaid, ...]


def closed(instructions: bytes, lists: Iterable[Iterable[Pattern]]) -> tuple[tuple[Subject, ...], ...]:
    """Close the lists of an entry to subjects: the first list's, except the second's, except the third's ...

    instructions: of the entry. Where rules cannot express a pattern, a denying entry is about more clients, any other
    one about fewer.
    """
    clients = []
    wide = instructions == b"deny"
    for some in lists:
        clients.append(tuple(one for pattern in some for one in (pattern.around if wide else pattern.inside)))
        wide = not wide
    return tuple(clients)


def rule(subject: Subject, instructions: bytes) -> bytes:
    """Write a line of rules source."""
    return address(subject) + b":" + instructions


def address(subject: Subject) -> bytes:
    """Write the address of a rule: what stands before the colon."""
    if isinstance(subject, Name):
        return f"={'.' if subject.below and subject.text else ''}{subject.text}".encode("ascii", "replace")
    if subject == EVERYBODY:
        return b""
    if subject.bits == 128:
        return rules_ipv6.text(subject)
    return rules_cidr.keys(subject)[0] if rules_cidr.is_prefix(subject) else rules_cidr.text(subject)


def variable(name: str, value: str) -> bytes | None:
    """Write ``,NAME="VALUE"``; None where rules cannot express it."""
    quote = next((quote for quote in "\"'/|!+^~" if quote not in value), None)
    if quote is None or "=" in name or not name.strip() or set("\n\0") & {*name, *value}:
        return None
    return f",{name}={quote}{value}{quote}".encode("utf-8", "surrogateescape")


def contains(outer: Subject, inner: Subject) -> bool:
    """Whether the outer subject has every client of the inner one."""
    if outer in (EVERYBODY, inner):
        return True
    if isinstance(outer, Network):
        return (
            isinstance(inner, Network)
            and outer.bits == inner.bits
            and outer.base <= inner.base < inner.end <= outer.end
        )
    if outer == NAMED:
        return isinstance(inner, Name) and inner != UNNAMED
    return isinstance(inner, Name) and outer.below and inner.text.endswith(f".{outer.text}")


def network(text: str) -> Network | None:
    """Parse an address, ``1.2.3.4/24``, ``1.2.3.0/255.255.255.0`` or the same of IPv6, in brackets or not.

    Bits beyond the prefix do not count. None for anything else.
    """
    try:
        if ":" in text:
            return rules_ipv6.network(_without_host_bits(text).encode("ascii"))
        found = IPv4Network(text.strip("[]"), strict=False)
    except ValueError:
        return None
    return Network(32, int(found.network_address), found.prefixlen)


def networks_of_range(text: str) -> list[Network]:
    """Divide ``10.0.0.0-10.0.3.255`` into networks; none for anything else."""
    try:
        first, last = (IPv4Address(end.strip()) for end in text.split("-"))
        return [
            Network(32, int(found.network_address), found.prefixlen) for found in summarize_address_range(first, last)
        ]
    except ValueError:
        return []


def prefix(text: str) -> Network | None:
    """Parse ``10.1.`` or ``10.1``; None for anything else, also for a whole address."""
    if not _PREFIX.fullmatch(text):
        return None
    octets = [int(octet) for octet in text.rstrip(".").split(".")]
    if max(octets) > 255:
        return None
    return Network(32, int.from_bytes(bytes(octets).ljust(4, b"\0"), "big"), 8 * len(octets))


def name(text: str) -> Name | None:
    """Parse ``host.example.org`` or ``.example.org``; None for anything else."""
    text = text.lower()
    plain = text.removeprefix(".").removesuffix(".")
    return Name(plain, text.startswith(".")) if _HOST_NAME.fullmatch(plain) else None


def _without_host_bits(text: str) -> str:
    plain = text.replace("[", "").replace("]", "")
    base, slash, length = plain.partition("/")
    if not slash or not length.isdigit():
        return plain
    whole = rules_ipv6.network(base.encode("ascii", "replace"))
    if whole.bits == 32:
        return plain
    size = 1 << (128 - min(int(length), 128))
    return rules_ipv6.text(Network(128, whole.base - whole.base % size, 128)).decode("ascii") + f"/{length}"
