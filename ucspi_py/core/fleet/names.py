"""Under which names a store keeps what the hosts of a fleet count of a client. Never has a store."""

from functools import lru_cache
from hashlib import sha256
from typing import NamedTuple

from ..address import is_ipv6, network_of
from ..auth import tries
from ..client.limits import Prefixes

#: Clients whose names are not made again: a flood comes from few.
_REMEMBERED = 4096
#: What is one client of IPv6, as for the limits of one host.
_ONE_CLIENT = 64
#: Hexadecimal digits of a user's digest that stand for it.
_DIGITS = 16


class Names(NamedTuple):
    """The names of a client's keys. arrivals: of its arrivals. client, network: of connections that are there now."""

    arrivals: str
    client: str
    network: str


@lru_cache(_REMEMBERED)
def names(ip: bytes, prefixes: Prefixes) -> Names:
    """Make the names. ip: the canonical address. prefixes: of the network that is limited as one.

    The braces make them neighbours in a Redis cluster, so that one script may touch them all.
    """
    ip = ip.partition(b"%")[0]
    tag = f"u1:{{{network_of(ip, prefixes.ipv4, min(prefixes.ipv6, _ONE_CLIENT))}}}"
    client = network_of(ip, 32, _ONE_CLIENT) if is_ipv6(ip) else ip.decode("ascii")
    return Names(f"{tag}:a:{client}", f"{tag}:c:{client}", f"{tag}:n")


class LoginNames(NamedTuple):
    """The names of what is kept of a user's tries from a network.

    network, user: wrong passwords of each. pair: of both, where they are known. known: that they are.
    """

    network: str
    known: str
    pair: str
    user: str


def login_names(ip: bytes, user: bytes) -> LoginNames | None:
    """Make the names; None for what is no address, which may be anybody's. ip: canonical. user: as the client says it.

    Those of a network are neighbours, and what is kept of a user anywhere may be far from them. No name of a user is
    shown, though whoever guesses it can find it.
    """
    try:
        tag = f"u1:{{{network_of(ip.partition(b'%')[0], *tries.NETWORK)}}}"
    except ValueError:
        return None
    digest = sha256(user.lower()).hexdigest()[:_DIGITS]
    return LoginNames(f"{tag}:f", f"{tag}:k:{digest}", f"{tag}:f:{digest}", f"u1:{{{digest}}}:f")
