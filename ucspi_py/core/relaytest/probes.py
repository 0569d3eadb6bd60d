"""What is tried with one client: senders, recipients, and what has to become of each. Never speaks."""

import enum
from collections.abc import Iterator
from typing import NamedTuple

from ..address import is_ipv6

#: Senders without a domain, or with one that every host has for itself (RFC 2505, 2.5: a sender proves nothing).
_OF_NOBODY = (b"postmaster", b"postmaster@localhost")


class Expected(enum.Enum):
    """What has to become of a recipient.

    TAKEN: mail to it is taken. REFUSED: it is not. STAYS: it is refused, or it is a mailbox of the host's own however
    it looks. ANY: both are well.
    """

    TAKEN = "taken"
    REFUSED = "refused"
    STAYS = "stays"
    ANY = "any"


class Probe(NamedTuple):
    """One sender and one recipient, as they stand between < and >. what: the kind of address that is tried."""

    what: str
    sender: bytes
    recipient: bytes
    expected: Expected


class Addresses(NamedTuple):
    """What probes are made of.

    own: an address for which the host takes mail from anybody; None = none is known. elsewhere: one of another host.
    literal: the host's own address in brackets, where it was reached under one.
    """

    own: bytes | None
    elsewhere: bytes
    literal: bytes | None = None


def address_literal(ip: bytes) -> bytes:
    """Write an address in place of a domain (RFC 5321, 4.1.3). ip: canonical."""
    return b"[IPv6:%b]" % ip if is_ipv6(ip) else b"[%b]" % ip


def of_stranger(addresses: Addresses, *, is_submission: bool) -> tuple[Probe, ...]:
    """List the probes of a client that may not relay.

    is_submission: the service is one of submission, which may refuse to take any mail of it (RFC 6409, 4.3).
    """
    own, elsewhere = addresses.own, addresses.elsewhere
    probes = [] if own is None else [Probe("own", b"", own, Expected.ANY if is_submission else Expected.TAKEN)]
    probes.append(Probe("elsewhere", b"", elsewhere, Expected.REFUSED))
    probes += _routed(addresses)
    probes += [Probe("forged sender", sender, elsewhere, Expected.REFUSED) for sender in _forged(addresses)]
    return tuple(probes)


def of_trusted(addresses: Addresses) -> tuple[Probe, ...]:
    """List the probes of a client that may relay."""
    sender = b"" if addresses.own is None else addresses.own
    own = () if addresses.own is None else (Probe("own", sender, addresses.own, Expected.TAKEN),)
    return (*own, Probe("elsewhere", sender, addresses.elsewhere, Expected.TAKEN))


def _routed(addresses: Addresses) -> Iterator[Probe]:
    """Yield recipients elsewhere that look like ones of the host (RFC 5321, appendix F.2; RFC 1123, 5.2.16)."""
    local, _, domain = addresses.elsewhere.partition(b"@")
    written = [("percent", b"%b%%%b" % (local, domain)), ("bang", b"%b!%b" % (domain, local))]
    written.append(("quoted", b'"%b"' % addresses.elsewhere))
    for what, address in written:
        yield Probe(what, b"", address, Expected.STAYS)
    written.append(("two @", addresses.elsewhere))
    for host in _hosts(addresses):
        for what, address in written:
            yield Probe(what, b"", b"%b@%b" % (address, host), Expected.STAYS)
        yield Probe("source route", b"", b"@%b:%b" % (host, addresses.elsewhere), Expected.REFUSED)


def _hosts(addresses: Addresses) -> Iterator[bytes]:
    if addresses.own is not None:
        yield addresses.own.rpartition(b"@")[2]
    if addresses.literal is not None:
        yield addresses.literal


def _forged(addresses: Addresses) -> Iterator[bytes]:
    """Yield senders by which some hosts believe to know who sends."""
    if addresses.own is not None:
        yield addresses.own
    yield addresses.elsewhere
    yield from _OF_NOBODY
    if addresses.literal is not None:
        yield b"postmaster@" + addresses.literal
