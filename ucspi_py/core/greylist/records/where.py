"""Which records are meant by a network, an address or a domain, with a sender and a recipient or without. Decides.

Whatever prefixes a greylist has been given: of a place those records are meant that lie in it, or that it lies in.
Triplets are kept by hashes. So those of larger networks are found as far as the networks of clients are /24 or /64.
"""

import ipaddress
import re
from collections.abc import Callable
from typing import NamedTuple

from ...address import canonical
from ...client.limits import NETWORK, Prefixes
from ..triplet.key import identity_key, neighbourhood, normalised, triplet_key
from .kinds import Kind

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

#: A network is no more than so many of the greylist's own.
_MOST = 1 << 16
_DOMAIN = re.compile(r"[a-z0-9_-]+(\.[a-z0-9_-]+)+\.?", re.IGNORECASE)


class Letter(NamedTuple):
    """Who sends to whom, as a triplet has it. sender: b"" = the null sender."""

    sender: bytes
    recipient: bytes


class Wanted(NamedTuple):
    """The records that are meant: those under keys, and of those whose keys begin with one of beginnings what holds.

    holds: whether a record is meant, by its key.
    """

    kind: Kind
    keys: tuple[str, ...] = ()
    beginnings: tuple[str, ...] = ()
    holds: Callable[[str], bool] = lambda _key: True


def everything(kind: Kind) -> Wanted:
    """All records of a kind."""
    return Wanted(kind, beginnings=("",))


def place(text: str) -> Network | str:
    """Parse a network or an address, which is a network of one, or a domain. Raises ValueError with what is wrong."""
    word = text.strip("[]")
    ip, slash, length = word.partition("/")
    try:
        found = ipaddress.ip_network(canonical(ip).decode("ascii") + slash + length, strict=False)
    except ValueError:
        if not _DOMAIN.fullmatch(word) or not re.search("[a-z]", word, re.IGNORECASE):
            raise ValueError(f"{text} is no address, no network and no domain") from None
        return word.rstrip(".").lower()
    return found


def wanted(where: Network | str, letter: Letter | None = None) -> tuple[Wanted, ...]:
    """The records of a place: those of the triplet of a letter, or all. letter: None = all.

    Raises ValueError for a place that is too large.
    """
    if letter:
        return (Wanted(Kind.TRIPLET, tuple(key_of(who, letter) for who in _identities(where))),)
    beginnings = {identity_key(who.encode("ascii")) for who in _identities(where)}
    triplets = Wanted(Kind.TRIPLET, (), tuple(sorted(beginnings)), lambda key: neighbourhood(key) in beginnings)
    if isinstance(where, str):
        return (triplets,)
    return _by_address(Kind.NETWORK, where), triplets, _by_address(Kind.CLIENT, where)


def key_of(identity: str, letter: Letter) -> str:
    """The key of a triplet. identity: a network or a domain."""
    return triplet_key(identity.encode("ascii"), normalised(letter.sender), letter.recipient)


def _identities(where: Network | str) -> tuple[str, ...]:
    """Under what triplets of a place may be kept."""
    if isinstance(where, str):
        return (where,)
    return tuple(dict.fromkeys(map(str, (*_around(where), *parts(where, NETWORK, _MOST)))))


def _around(network: Network) -> tuple[Network, ...]:
    """The networks that hold another one, and that itself."""
    return tuple(network.supernet(new_prefix=length) for length in range(network.prefixlen, 0, -1))


def parts(network: Network, prefixes: Prefixes, most: int) -> tuple[Network, ...]:
    """The networks of a greylist in a larger one, or the one that a smaller one lies in.

    Raises ValueError where there are more than most.
    """
    length = prefixes.ipv4 if network.version == 4 else prefixes.ipv6
    if length <= network.prefixlen:
        return (network.supernet(new_prefix=length),)
    if 1 << (length - network.prefixlen) > most:
        raise ValueError(f"{network} is more than {most} networks")
    return tuple(network.subnets(new_prefix=length))


def _by_address(kind: Kind, where: Network) -> Wanted:
    """Records whose keys are networks or addresses."""
    keys = tuple(map(str, _around(where)))
    if where.prefixlen == where.max_prefixlen:
        return Wanted(kind, (str(where.network_address), *keys))
    return Wanted(kind, keys, (_beginning(where),), lambda key: key not in keys and _is_within(key, where))


def _is_within(key: str, where: Network) -> bool:
    try:
        found = ipaddress.ip_network(key)
    except ValueError:
        return False
    return found.version == where.version and found.subnet_of(where)  # type: ignore[arg-type]  # of one version


def _beginning(where: Network) -> str:
    """With which the keys of all that is within begin: whole octets, or groups up to the first that is zero."""
    if where.version == 4:
        octets = str(where.network_address).split(".")[: where.prefixlen // 8]
        return "".join(f"{octet}." for octet in octets[:3])
    groups = where.network_address.exploded.split(":")[: min(where.prefixlen // 16, 7)]
    numbers = [int(group, 16) for group in groups]
    until = numbers.index(0) if 0 in numbers else len(numbers)
    return "".join(f"{number:x}:" for number in numbers[:until])
