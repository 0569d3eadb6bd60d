"""Which key decides: the search order of rules.c over any get(). Never opens a file, never reads the value."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from ..address import is_ipv6


class Match(NamedTuple):
    """The key that decided and the value stored under it."""

    key: bytes
    value: bytes


#: Gives the first value of a key, or None.
Get = Callable[[bytes], bytes | None]


def keys(ip: bytes, host: bytes | None, info: bytes | None, get: Get | None = None) -> Iterator[bytes]:
    """Yield every key that rules.c asks for, in its order; the first one that is stored decides.

    ip: the canonical address. host, info: the client's name and ident answer, None where unknown
    (an empty info is an answer, and its ``@`` rules are searched). get: for an IPv6 client, the networks that occur
    are asked of it; they stand where rules.c has the prefixes of IPv4.
    """
    if info is not None:
        yield info + b"@" + ip
        if host is not None:
            yield info + b"@=" + host
    yield ip
    if host is not None:
        yield b"=" + host
    yield from _networks(ip, get) if get and is_ipv6(ip) else _prefixes(ip)
    if host is not None:
        yield from _suffixes(host)
        yield b"="
    yield b""


def match(get: Get, ip: bytes, host: bytes | None = None, info: bytes | None = None) -> Match | None:
    """Find the first key of a client that is stored (rules.c), with its value; None where no rule matches.

    ip: the canonical address. host, info: the client's name and ident answer, None where unknown.
    """
    for key in keys(ip, host, info, get):
        value = get(key)
        if value is not None:
            return Match(key, value)
    return None


def _networks(ip: bytes, get: Get) -> Iterator[bytes]:
    from . import ipv6 as rules_ipv6  # an IPv4 client never comes here, and the rules tools start without it

    return rules_ipv6.keys(ip, get)


def _prefixes(ip: bytes) -> list[bytes]:
    prefixes = []
    end = ip.rfind(b".")
    while end >= 0:
        prefixes.append(ip[: end + 1])
        end = ip.rfind(b".", 0, end)
    return prefixes


def _suffixes(host: bytes) -> Iterator[bytes]:
    dot = host.find(b".")
    while dot >= 0:
        yield b"=" + host[dot:]
        dot = host.find(b".", dot + 1)
