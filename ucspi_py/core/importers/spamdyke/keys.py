"""An entry of a list of spamdyke -> the keys of an access table that match the same clients or addresses."""

import re
from collections.abc import Callable, Iterator
from ipaddress import IPv4Network, collapse_addresses
from itertools import product
from typing import NamedTuple

from . import ip_file

_NAME = re.compile(r"\.?[a-z0-9_-]+(?:\.[a-z0-9_-]+)*", re.IGNORECASE | re.ASCII)
_ADDRESS = re.compile(r"[^\s\"\\={}$,<>@]*@[a-z0-9_.-]*", re.IGNORECASE)
_NO_PREFIX = "a rule about a name in a list of addresses"


class Found(NamedTuple):
    """Keys, and why they are not all that the entry means; empty = they are."""

    keys: tuple[str, ...]
    why: str = ""


#: Finds the keys of an entry. Its second argument: whether to match too much rather than too little.
Finder = Callable[[str, bool], Found]


def of_client(entry: str, wide: bool) -> Found:
    """Find the keys of an address, its beginning, a range or a network. wide: rather too many clients than too few."""
    prefixes, why = _prefixes(entry, wide)
    return Found(tuple(".".join(map(str, octets)) for octets in prefixes), why)


def of_name(entry: str, _wide: bool) -> Found:
    """Find the keys of a client's name; ``.example.org`` is it and all below it."""
    if not _NAME.fullmatch(entry):
        return Found((), "it is no name of a client")
    return Found((entry.removeprefix("."), entry) if entry.startswith(".") else (entry,))


def of_address(entry: str, _wide: bool) -> Found:
    """Find the keys of an address; ``@example.org`` is all of it and below it, ``joe@`` this user of any domain."""
    if not _ADDRESS.fullmatch(entry) or entry == "@" or not (entry.isascii() and entry.isprintable()):
        return Found((), "it is no address, or one with letters that a table takes for its own")
    user, _, domain = entry.partition("@")
    return Found((entry,) if user else (domain, f".{domain}"))


def networks(entry: str) -> tuple[tuple[IPv4Network, ...], str]:
    """Find the networks that an entry surely matches, and why these are not all that it means."""
    prefixes, why = _prefixes(entry, False)
    found = (IPv4Network((bytes(octets).ljust(4, b"\0"), 8 * len(octets))) for octets in prefixes)
    return tuple(collapse_addresses(found)), why


def _prefixes(entry: str, wide: bool) -> tuple[list[tuple[int, ...]], str]:
    """The beginnings of addresses, in octets, that an entry matches."""
    found = ip_file.read(entry)
    some = [key.decode("ascii") for key in (found.around if wide else found.inside)]
    if any(key.startswith("=") for key in some):
        return [], _NO_PREFIX
    return [octets for key in some for octets in _expanded(key)], found.why


def _expanded(key: str) -> Iterator[tuple[int, ...]]:
    """The beginnings of a key of rules: ``10.1-2.``, ``10.0.0.0/9``, an address, or nothing for everybody."""
    if "/" in key:
        network = IPv4Network(key)
        size = max(8, -(-network.prefixlen // 8) * 8)
        yield from (tuple(one.network_address.packed[: size // 8]) for one in network.subnets(new_prefix=size))
        return
    words = key.removesuffix(".").split(".") if key else ["0-255"]
    yield from product(*(_range(word) for word in words))


def _range(word: str) -> range:
    low, _, high = word.partition("-")
    return range(int(low), int(high or low) + 1)
