"""Octets, ranges and networks in a rule: why they match nothing, and what was meant. Never reads names."""

import re
from ipaddress import IPv4Address, IPv4Network, summarize_address_range

from ..numbers import clamped, scan_ulong
from ..rules.cidr import Network, network
from .finding import Flaw, brief

_NUMERIC = re.compile(rb"[0-9.-]+")
_FULL_RANGE = re.compile(rb"((?:[0-9]+\.){3}[0-9]+)-((?:[0-9]+\.){3}[0-9]+)")
_WILD = re.compile(rb"((?:[0-9]{1,3}\.)*)\*(?:\.\*)*\.?")
#: Lines that are suggested at most.
_FEW = 4
#: 224.0.0.0/4 is multicast, 240.0.0.0/4 reserved with the broadcast address at its end; 0.0.0.0/8 is "this network"
#: (RFC 6890). Of IPv6, :: and ff00::/8 (RFC 4291).
_MULTICAST4, _MULTICAST6 = 224, 0xFF


def is_numeric(address: bytes) -> bool:
    """Whether an address is made of digits, dots and dashes."""
    return _NUMERIC.fullmatch(address) is not None


def octets_flaw(address: bytes) -> Flaw | None:
    """Find the first flaw of dotted octets, of which one may be a range; None = sound."""
    octets = address.removesuffix(b".").split(b".")
    if address == b".":
        return Flaw(0, ". is not the default rule and never matches; the default rule has no address", (b"",))
    if _FULL_RANGE.fullmatch(address):
        return Flaw(0, "a range stands inside one octet, so this matches nothing", _networks_of_range(address))
    if address.count(b"-") > 1:
        second = address.index(b"-", address.index(b"-") + 1)
        return Flaw(second, "only the first range is expanded, so this matches nothing", _first_expanded(address))
    where = 0
    for octet in octets:
        sentence = _range_sentence(octet) if b"-" in octet else _octet_sentence(octet)
        if sentence:
            return Flaw(where, sentence, _corrected(octets))
        where += len(octet) + 1
    return _dots_flaw(address, octets)


def network_flaw(address: bytes) -> Flaw | None:
    """Find the flaw of an IPv4 network in CIDR notation; None = sound."""
    if network(address):
        return None
    base, _, length = address.partition(b"/")
    where = len(base) + 1
    octets = base.removesuffix(b".").split(b".")
    if not all(octet.isdigit() for octet in octets) or len(octets) > 4:
        return Flaw(0, f"{brief(address)} is no network, so it never matches")
    sentence, offset = "a network has four octets", 0
    if b"." in length:
        sentence, offset = "a netmask is not understood, only the length of a prefix", where
    elif not length.isdigit() or clamped(length) > 32 or length != b"%d" % clamped(length):
        sentence, offset = f"/{brief(length)} is no prefix length", where
    elif wrong := next(filter(None, map(_octet_sentence, octets)), ""):
        sentence = wrong
    elif len(octets) == 4 and not base.endswith(b"."):
        sentence = f"{brief(base)} has bits beyond its prefix"
    return Flaw(offset, f"{sentence}, so it never matches", _network_meant(octets, length))


def nobody_flaw(address: bytes, found: Network | None = None) -> Flaw | None:
    """Find the flaw of a sound address in which no client can be; None = there may be clients.

    found: what the address is, where it is a network in CIDR notation or anything of IPv6; None for octets.
    """
    first, last = _first_octets(address) if found is None else _first_octets_of(found)
    multicast = _MULTICAST6 if found and found.bits == 128 else _MULTICAST4
    unspecified = found == Network(128, 0, 128) if found and found.bits == 128 else last == 0
    if not unspecified and first < multicast:
        return None
    if address in (b"0.0.0.0", b"::"):
        return Flaw(0, f"no client has the address {brief(address)}; the default rule has no address", (b"",))
    return Flaw(0, f"no client has an address in {brief(address)}, so it never matches")


def few_addresses(address: bytes) -> tuple[bytes, ...]:
    """List the single addresses of a range or a network, where they are few; else none."""
    if found := network(address):
        few = range(found.base, min(found.end, found.base + _FEW + 1))
        return _if_few([str(IPv4Address(number)).encode("ascii") for number in few])
    if is_numeric(address) and b"-" in address and address.count(b".") == 3 and octets_flaw(address) is None:
        return _first_expanded(address)
    return ()


def without_wildcards(address: bytes) -> bytes | None:
    """``10.*.*.*`` -> ``10.``; None where there is nothing of that kind."""
    found = _WILD.fullmatch(address)
    return found[1] if found else None


def _first_octets(address: bytes) -> tuple[int, int]:
    low, dash, high = address.partition(b".")[0].partition(b"-")
    return clamped(low), clamped(high if dash else low)


def _first_octets_of(found: Network) -> tuple[int, int]:
    return found.base >> (found.bits - 8), (found.end - 1) >> (found.bits - 8)


def _octet_sentence(octet: bytes) -> str:
    if not octet:
        return "an octet is missing, so it never matches"
    if clamped(octet) > 255:
        return f"no octet is above 255, so {brief(octet)} never matches"
    if octet != b"%d" % clamped(octet):
        return "addresses are looked up without leading zeros, so it never matches"
    return ""


def _range_sentence(octet: bytes) -> str:
    low, _, high = octet.partition(b"-")
    if not low:
        return "a range without a beginning begins at 0"
    if not high:
        return "a range without an end ends at 0, so it matches nothing"
    if scan_ulong(low) > 255:
        return f"no octet is above 255, so {brief(octet)} matches nothing"
    if scan_ulong(low) > scan_ulong(high):
        return "this range runs backwards, so it matches nothing"
    if max(clamped(low), clamped(high)) > 255:
        return "no octet is above 255, and the range ends there"
    return ""


def _dots_flaw(address: bytes, octets: list[bytes]) -> Flaw | None:
    if len(octets) > 4:
        return Flaw(0, "an address has four octets, so it never matches")
    if len(octets) == 4 and address.endswith(b"."):
        sentence = "behind a whole address stands no dot, so it never matches"
        return Flaw(len(address) - 1, sentence, _corrected(octets))
    if len(octets) < 4 and not address.endswith(b"."):
        return Flaw(0, f"{brief(address)} has no dot at its end, so it never matches", _corrected(octets))
    return None


def _corrected(octets: list[bytes]) -> tuple[bytes, ...]:
    """The address that was meant, if every octet can be read."""
    if len(octets) > 4:
        return ()
    better = []
    for octet in octets:
        if b"-" in octet:
            low, _, high = octet.partition(b"-")
            bottom, top = sorted((clamped(low), clamped(high or b"255")))
            if bottom > 255:
                return ()
            better.append(b"%d-%d" % (bottom, min(top, 255)))
        elif not octet or clamped(octet) > 255:
            return ()
        else:
            better.append(b"%d" % clamped(octet))
    return (b".".join(better) + (b"." if len(octets) < 4 else b""),)


def _first_expanded(address: bytes) -> tuple[bytes, ...]:
    before, _, after = address.partition(b"-")
    head, dot, low = before.rpartition(b".")
    high, rest_dot, rest = after.partition(b".")
    if not low or not high.isdigit():
        return ()
    few = range(clamped(low), min(clamped(high), 255, clamped(low) + _FEW) + 1)
    return _if_few([b"%s%s%d%s%s" % (head, dot, n, rest_dot, rest) for n in few])


def _networks_of_range(address: bytes) -> tuple[bytes, ...]:
    try:
        first, last = (IPv4Address(end.decode("ascii")) for end in address.split(b"-"))
        return _if_few([str(found).encode("ascii") for found in summarize_address_range(first, last)])
    except ValueError:
        return ()


def _network_meant(octets: list[bytes], length: bytes) -> tuple[bytes, ...]:
    base = ".".join(str(clamped(octet)) for octet in octets) + ".0" * (4 - len(octets))
    try:
        return (str(IPv4Network(f"{base}/{length.decode('ascii', 'replace')}", strict=False)).encode("ascii"),)
    except ValueError:
        return ()


def _if_few(lines: list[bytes]) -> tuple[bytes, ...]:
    return tuple(lines) if len(lines) <= _FEW else ()
