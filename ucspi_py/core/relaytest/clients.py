"""Rules -> one client for each thing that they say, whom they are about. Never starts anything for it."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import NamedTuple

from ..gate.visitor import is_in
from ..rules import ipv6
from ..rules.cidr import Network
from ..rules.cidr import text as ipv4_text
from ..rules.data import DEFAULT, Instructions, instructions
from ..rules.match import Get, match
from ..rules.source import Record

#: Whom nobody knows: addresses for documentation (RFC 5737), whose mail never comes.
_STRANGERS = (b"192.0.2.77", b"198.51.100.77", b"203.0.113.77", b"192.0.2.210", b"198.51.100.210", b"203.0.113.210")
#: The host in a prefix of the rules; others where a rule of its own is about that.
_HOSTS = (77, 1, 254, 133, 20)
_NAME = b"relaytest"
#: The keys of the rules about everybody, and about everybody with a name (rules.c).
_EVERYBODY = (b"", b"=")
_RELAYCLIENT = b"RELAYCLIENT"
#: Classes of clients of one service: beyond them nothing is tried, and that is said.
MOST = 50


class Client(NamedTuple):
    """A client as the rules see it. host, info: its name and its ident answer, None = it has none."""

    ip: bytes
    host: bytes | None = None
    info: bytes | None = None


class Known(NamedTuple):
    """A client, and what is said of it.

    key: of the rule that decides; None = none is about it. is_stranger: it is like everybody, or like everybody with a
    name, and may not relay, whatever is said.
    """

    client: Client
    key: bytes | None
    said: Instructions
    is_stranger: bool


class Lookups(NamedTuple):
    """What a service finds out about its clients before it looks into its rules: names, and ident answers."""

    names: bool
    infos: bool


def classes(records: Iterable[Record], get: Get, lookups: Lookups, networks: Iterable[Network]) -> Iterator[Known]:
    """Yield one client for each thing that is said: a stranger first, denied or not, then of those that are let in.

    records: of the rules. get: gives the value of a key of theirs. lookups: rules about what is never found out decide
    about nobody. networks: of clients that may relay by their address alone. Raises CorruptRules.
    """
    networks = tuple(networks)
    found = _strangers(get, networks)
    seen = {(is_stranger, one.said.variables) for one in found for is_stranger in (True, False) if not one.said.deny}
    yield from found
    for key, value in records:
        said = instructions(value)
        what = (key in _EVERYBODY, said.variables)
        if key == ipv6.LENGTHS or said.deny or what in seen:
            continue
        for known in islice(_of_key(key, get, lookups), 1):
            seen.add(what)
            yield known
    yield from _of_networks(networks, get)


def _strangers(get: Get, networks: tuple[Network, ...]) -> list[Known]:
    """One about whom no rule but that for everybody is; none where there is a rule about each of them.

    Where the networks have all of them, they have everybody.
    """
    known = [_known(Client(ip), get) for ip in sorted(_STRANGERS, key=lambda ip: is_in(ip, networks))]
    return [one for one in known if one.is_stranger][:1]


def _of_key(key: bytes, get: Get, lookups: Lookups) -> Iterator[Known]:
    """Yield clients about whom a rule decides."""
    for client in _clients(key):
        unseen = (client.host is not None and not lookups.names) or (client.info is not None and not lookups.infos)
        if not unseen and (known := _known(client, get)).key == key:
            yield known


def _of_networks(networks: Iterable[Network], get: Get) -> Iterator[Known]:
    """Yield clients that may relay by their networks alone, one for each thing that is said of them besides."""
    seen = set()
    for network in networks:
        known = (_known(Client(ip), get)._replace(is_stranger=False) for ip in _addresses_in(network))
        for one in islice((one for one in known if not one.said.deny), 1):
            if one.said.variables not in seen and _RELAYCLIENT not in dict(one.said.variables):
                seen.add(one.said.variables)
                yield one


def _known(client: Client, get: Get) -> Known:
    found = match(get, *client)
    if found is None:
        return Known(client, None, DEFAULT, True)
    return Known(client, found.key, instructions(found.value), found.key in _EVERYBODY)


def _clients(key: bytes) -> Iterator[Client]:
    """Yield clients that a key may be about (rules.c, in reverse)."""
    info, at, rest = key.rpartition(b"@")
    if at:
        for client in _clients(rest) if rest else ():
            yield client._replace(info=info)
    elif key.startswith(b"="):
        name = key[1:]
        if not name or name.startswith(b"."):
            name = _NAME + (name or b".invalid")
        yield from (Client(ip, name) for ip in _STRANGERS)
    elif network := ipv6.from_key(key):
        yield from map(Client, _addresses_in(network))
    elif key.endswith(b"."):
        for number in _HOSTS:
            yield Client(key + b".".join([b"%d" % number] * (4 - key.count(b"."))))
    elif key:
        yield Client(key)


def _addresses_in(network: Network) -> Iterator[bytes]:
    """Yield addresses of a network, the usual one first."""
    for host in (*_HOSTS, 0):
        if host < network.size:
            single = Network(network.bits, network.base + host, network.bits)
            yield ipv6.text(single) if network.bits == 128 else ipv4_text(single).partition(b"/")[0]
