"""postgrey's whitelist of clients (read_clients_whitelists): names with all below them, networks, expressions."""

import ipaddress
import re
from collections.abc import Collection, Iterable, Iterator
from typing import NamedTuple

from ...expressions.scanner import Unknown
from .lines import Expression, Flaw, Late, Place, Source, expression, one_holds, read

_IPV4 = re.compile(r"\d{1,3}(\.\d{1,3}){3}(/\d{1,2})?", re.ASCII)
_PARTIAL = re.compile(r"\d{1,3}(\.\d{1,3}){1,2}", re.ASCII)
_BITS = {4: 32, 6: 128}


class Network(NamedTuple):
    """bits: of its addresses. length: of its prefix. prefix: as a number."""

    bits: int
    length: int
    prefix: int


class ClientList(NamedTuple):
    """Clients that never wait. names: in small letters. expressions: for names. flaws: lines that were passed over."""

    names: frozenset[bytes] = frozenset()
    networks: frozenset[Network] = frozenset()
    expressions: tuple[Expression, ...] = ()
    flaws: tuple[Flaw, ...] = ()

    @property
    def entries(self) -> tuple[Collection[object], ...]:
        """All that says who never waits."""
        return self.names, self.networks, self.expressions


def client_list(sources: Iterable[Source]) -> ClientList:
    """Read files of postgrey's, but that ``192.0`` is a /16 as postgrey's manual has it, not a /24."""
    found, flaws = read(sources, _entry)
    return ClientList(
        frozenset(one for one in found if isinstance(one, bytes)),
        frozenset(one for one in found if isinstance(one, Network)),
        tuple(one for one in found if isinstance(one, Expression)),
        flaws,
    )


def has_name(whitelist: ClientList, name: bytes, late: Late) -> bool:
    """Whether a client of a name never waits. late: is told of each expression that takes too long."""
    if any(one in whitelist.names for one in _above(name.lower())):
        return True
    return one_holds(whitelist.expressions, name, late)


def has_address(whitelist: ClientList, ip: bytes) -> bool:
    """Whether a client of an address never waits. ip: canonical; what is no address is in no network."""
    try:
        address = ipaddress.ip_address(ip.decode("ascii", "replace"))
    except ValueError:
        return False
    bits, number = _BITS[address.version], int(address)
    lengths = {one.length for one in whitelist.networks if one.bits == bits}
    return any(Network(bits, length, number >> (bits - length)) in whitelist.networks for length in lengths)


def _entry(entry: bytes, place: Place) -> bytes | Network | Expression:
    found = expression(entry, place)
    if found:
        return found
    text = entry.decode("ascii", "replace")
    if _IPV4.fullmatch(text) or text.count(":") > 1:
        return _network(text)
    if _PARTIAL.fullmatch(text):
        octets = text.count(".") + 1
        return _network(f"{text}{'.0' * (4 - octets)}/{8 * octets}")
    if b"/" in entry or entry.split() != [entry]:
        raise Unknown("it is neither a name, nor a network, nor an expression between slashes without a blank")
    return entry.lower()


def _network(text: str) -> Network:
    try:
        network = ipaddress.ip_network(text.replace("%", "?"), strict=False)  # no client's address has a zone
    except ValueError:
        raise Unknown("it is no address and no network") from None
    bits, length = _BITS[network.version], network.prefixlen
    return Network(bits, length, int(network.network_address) >> (bits - length))


def _above(name: bytes) -> Iterator[bytes]:
    """A name, and what is left behind each dot of it."""
    while name:
        yield name
        name = name.partition(b".")[2]
