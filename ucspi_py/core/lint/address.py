"""Lint of the address of a rule that tcprules compiles: can a client have it? Never looks at the instructions.

An address is what stands before the colon. Each check gives its first flaw, or None where a client can match it.
"""

import re

from .finding import MARK, Flaw, brief, markup_flaw
from .network import few_addresses, is_numeric, network_flaw, nobody_flaw, octets_flaw, without_wildcards

_HOST = re.compile(rb"\.?(?:[a-z0-9_\\-]+\.)*[a-z0-9_\\-]+")
_NAME = re.compile(rb"[.*]*[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*\.?")
_EVERYBODY = frozenset((b"all", b"any", b"default", b"*"))


def address_flaw(address: bytes) -> Flaw | None:
    """Find what keeps an address from matching, or makes it match another client than it seems to; None = sound."""
    flaw = markup_flaw(address, "address, so it never matches") or _stray_byte(address)
    if flaw or not address:
        return flaw
    if b"@" in address:
        return _ident_flaw(address)
    if address.startswith(b"="):
        return _host_flaw(address)
    if b"/" in address:
        return network_flaw(address)
    return octets_flaw(address) or nobody_flaw(address) if is_numeric(address) else _word_flaw(address)


def _stray_byte(address: bytes) -> Flaw | None:
    if address.startswith(MARK):
        return Flaw(0, "a byte order mark belongs to the address, so it never matches", (address[len(MARK) :],))
    for where, byte in enumerate(address):
        if byte in b" \t":
            return Flaw(where, "a blank belongs to the address, so it never matches", (b"".join(address.split()),))
        if byte < 32 or byte == 127:
            return Flaw(where, f"the byte {byte} belongs to the address, so it never matches")
        if byte > 127:
            return Flaw(where, f"{brief(address)} is not plain ASCII, so it never matches")
    return None


def _ident_flaw(address: bytes) -> Flaw | None:
    """``user@ip`` and ``user@=host``: rules.c asks for these two and nothing wider."""
    user, _, rest = address.partition(b"@")
    where = len(user) + 1
    if user.startswith(b"="):
        return Flaw(0, "the = of an ident rule stands behind the @, so it never matches", (user[1:] + b"@=" + rest,))
    if rest.startswith(b"="):
        flaw = _host_flaw(rest)
        if rest[1:2] in (b"", b"."):
            flaw = Flaw(0, "an ident rule knows single hosts and no domains, so it never matches")
    elif is_numeric(rest) or b"/" in rest:
        flaw = octets_flaw(rest) or nobody_flaw(rest) if b"/" not in rest else None
        if few_addresses(rest) or b"/" in rest or (flaw is None and not rest.split(b".")[-1].isdigit()):
            flaw = Flaw(0, "an ident rule knows single addresses, so it never matches", few_addresses(rest))
    else:
        return _mail_address_flaw(user, rest)
    if flaw is None:
        return None
    return Flaw(where + flaw.offset, flaw.sentence, tuple(user + b"@" + meant for meant in flaw.meant))


def _mail_address_flaw(user: bytes, rest: bytes) -> Flaw:
    if not _NAME.fullmatch(rest):
        return Flaw(len(user) + 1, f"{brief(rest) or 'nothing'} is no address, so it never matches")
    sentence = "rules know no mail addresses, so it never matches; to refuse a sender is for control/badmailfrom"
    host = rest.lower().rstrip(b".")
    return Flaw(0, f"{sentence}, and a user of a host would be {brief(user)}@={brief(host)}")


def _host_flaw(address: bytes) -> Flaw | None:
    """``=host``, ``=.domain`` and ``=``; names come from DNS in small letters and without their last dot."""
    name = address[1:]
    if is_numeric(name) and name != b".":
        flaw = octets_flaw(name)
        return Flaw(0, f"{brief(name)} is an address, and = stands before names", flaw.meant if flaw else (name,))
    if not name or _HOST.fullmatch(name):
        return None
    better = name.lower().lstrip(b"=*").rstrip(b".")
    meant = (b"=" + better,) if not better or _HOST.fullmatch(better) else ()
    if name != name.lower():
        where = next(where for where, byte in enumerate(name) if byte != name.lower()[where])
        return Flaw(1 + where, "names are looked up in small letters, so it never matches", meant)
    if name.endswith(b"."):
        return Flaw(len(name), "names are looked up without a dot at their end, so it never matches", meant)
    return Flaw(1, f"{brief(name)} is no host name, so it never matches", meant)


def _word_flaw(address: bytes) -> Flaw:
    """An address that is neither of digits nor marked as a name."""
    if address.lower() in _EVERYBODY:
        return Flaw(0, f"{brief(address)} has no meaning here; the default rule has no address", (b"",))
    wildcard = without_wildcards(address)
    if wildcard is not None:
        return Flaw(address.find(b"*"), "a * has no meaning here, so it never matches", (wildcard,))
    if address.startswith(b"[") and address.endswith(b"]"):
        return Flaw(0, "an IPv4 address has no brackets, so it never matches", (address[1:-1],))
    if _NAME.fullmatch(address):
        name = address.lower().lstrip(b"*").rstrip(b".")
        return Flaw(0, f"{brief(address)} is a host name without =, so it never matches", (b"=" + name,))
    return Flaw(0, f"{brief(address)} is no address, so it never matches")
