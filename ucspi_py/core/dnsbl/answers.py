"""What an answer of a zone means: what is asked of it, and its finding on a client. Never sends a question."""

import re
from dataclasses import dataclass
from typing import NamedTuple

from ..address import is_ipv6, is_private, reversed_name
from ..dns.message import Answer, Failed, Found
from ..smtp.verdict import TEXT_LIMIT
from .zone import Zone

_NO_TEXT = b"%s is listed in %s"

_LOOPBACK = 127
#: RFC 5782, 2.1: not to be used as an answer; it is what resolvers and parked names answer. Said of everybody.
_NEVER_LISTED = bytes((127, 0, 0, 1))
#: What Spamhaus and others answer to clients that must not ask: open resolvers, too many questions, a mistyped zone.
_ERROR_NETWORK = bytes((127, 255, 255))
#: What dnswl.org answers about everybody to a client that asks too much.
_ALLOW_ERROR = bytes((127, 0, 0, 255))


@dataclass(frozen=True, slots=True)
class Listed:
    """The zone lists the client. text: the words for the reply, 200 bytes at most. code: the A record, b"" = none."""

    text: bytes
    code: bytes


@dataclass(frozen=True, slots=True)
class Clean:
    """The zone does not list the client, or was not asked."""


@dataclass(frozen=True, slots=True)
class Failing:
    """The zone cannot be believed or was not to be reached.

    reason: in plain words. answered: it did answer, but with an error; an allow-list that does so speaks for nobody.
    """

    reason: str
    answered: bool = False


Finding = Listed | Clean | Failing

CLEAN = Clean()


class Result(NamedTuple):
    """What a zone said of a client. seconds: how long that took. ttl: for how many seconds it holds."""

    finding: Finding
    seconds: float
    ttl: int


NOT_ASKED = Result(CLEAN, 0.0, 0)


def query(zone: Zone, ip: bytes, *, ask_private: bool) -> bytes | None:
    """Form the name to ask a zone about; None = it is not to be asked: no address, a private one, IPv6 unknown to it.

    ip: canonical text. ask_private: -p. Source: RFC 5782, 2.1 and 2.4.
    """
    if is_ipv6(ip) and not zone.ipv6:
        return None
    front = reversed_name(ip)
    if not front or (not ask_private and is_private(ip)):
        return None
    return front + zone.name


def after_address(zone: Zone, answer: Answer) -> Finding | None:
    """Tell what the A records mean; None = the TXT record has still to be asked for.

    A name that does not exist settles everything. One that exists without an A record may have a TXT record.
    """
    if isinstance(answer, Failed):
        return Failing(answer.reason)
    if isinstance(answer, Found):
        error = next((address for address in answer.records if _is_error(zone, address)), None)
        if error is not None:
            return Failing(f"answers {dotted(error)}, which is an error and lists nobody", answered=True)
        code = next(filter(zone.counts, answer.records), None)
        if code is None:
            return CLEAN
        return Listed(b"", code) if zone.allow else None
    return CLEAN if not answer.exists or zone.address_lists else None


def after_text(zone: Zone, ip: bytes, address: Answer, answer: Answer) -> Finding:
    """Tell what A and TXT records mean together, for a zone that after_address left open.

    ip: of the client, for the words of our own. address, answer: what was told of A and of TXT.

    Of a text no more is kept than a reply can hold: findings are remembered by the thousand, and a text may have 64 KB.
    """
    text = b"".join(answer.records) if isinstance(answer, Found) else b""
    code = next(filter(zone.counts, address.records), b"") if isinstance(address, Found) else b""
    if text:
        return Listed(_without_name(zone, text)[:TEXT_LIMIT], code)
    if zone.address_lists and code:
        own_text = _NO_TEXT % (b"%IP%", zone.alias) if zone.text is None else zone.text
        return Listed(own_text.replace(b"%IP%", ip)[:TEXT_LIMIT], code)
    return Failing(answer.reason) if isinstance(answer, Failed) else CLEAN


def word(finding: Finding) -> bytes:
    """Name a finding in one word for the log: the code that lists, ``listed``, ``clean`` or ``failed``."""
    match finding:
        case Listed(code=code):
            return dotted(code).encode() if code else b"listed"
        case Clean():
            return b"clean"
        case Failing():
            return b"failed"


def dotted(address: bytes) -> str:
    """Write the 4 bytes of an A record as people do: ``127.0.0.2``."""
    return ".".join(map(str, address))


def _without_name(zone: Zone, text: bytes) -> bytes:
    """A zone's words, which may hold its name, and with that the key that an alias is to hide."""
    if zone.alias == zone.name:
        return text
    return re.sub(re.escape(zone.name.strip(b".")), lambda _: zone.alias, text, flags=re.IGNORECASE)


def _is_error(zone: Zone, address: bytes) -> bool:
    speaks_for_clients = zone.allow or (zone.weight or 0) < 0
    if speaks_for_clients and address == _ALLOW_ERROR:
        return True
    if address[0] != _LOOPBACK or address[:3] == _ERROR_NETWORK:
        return True
    # Some zones answer it about whoever they do not list; where codes are written they say what lists.
    return zone.codes is None and address == _NEVER_LISTED
