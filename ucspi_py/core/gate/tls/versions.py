"""Versions of TLS as a list in main.cf names them (postconf(5), smtpd_tls_protocols; tls_misc.c)."""

import re
from typing import NamedTuple

#: Older ones there are none any more; whoever excludes them means no other than we do.
_VERSIONS = ("TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3")
_GONE = ("sslv2", "sslv3")
_SAFE = frozenset(_VERSIONS[2:])
_NAMES = {one.lower(): one for one in _VERSIONS}
#: The numbers by which OpenSSL's headers know them.
_NAMES |= {f"{number:x}": name for number, name in enumerate(_VERSIONS, 0x301)}
_NAMES |= {f"0{number:x}": name for number, name in enumerate(_VERSIONS, 0x301)}
_BOUND = re.compile(r"(>=|<=)(.+)")


class Versions(NamedTuple):
    """The lowest and the highest version, as TLSv1.2; highest: None = there is no newer one."""

    lowest: str
    highest: str | None


def parse(words: list[str]) -> Versions:
    """Parse words such as ``>=TLSv1.2``, ``!TLSv1.3`` and ``TLSv1.2``. Raises ValueError.

    What is older than TLSv1.2 is spoken only where it is named, be it by a bound: lists that exclude versions were
    written to exclude old ones. A hole between two versions cannot be had.
    """
    bounds = [found for word in words if (found := _BOUND.fullmatch(word))]
    excluded = {_named(word[1:]) for word in words if word.startswith("!")}
    named = {_named(word) for word in words if word[0] not in "!<>"}
    wanted = set(_VERSIONS) & named if named else set(_VERSIONS if _has_floor(bounds) else _SAFE)
    for bound in bounds:
        wanted &= _within(bound[1], _named(bound[2]))
    wanted -= excluded
    return _span(wanted, " ".join(words))


def _has_floor(bounds: list[re.Match[str]]) -> bool:
    return any(bound[1] == ">=" for bound in bounds)


def _within(sign: str, version: str) -> set[str]:
    if version not in _VERSIONS:
        return set(_VERSIONS) if sign == ">=" else set()
    place = _VERSIONS.index(version)
    return set(_VERSIONS[place:] if sign == ">=" else _VERSIONS[: place + 1])


def _named(word: str) -> str:
    if word.lower() in _GONE:
        return word.lower()
    if word.lower().removeprefix("0x") not in _NAMES:
        raise ValueError(f"takes versions such as TLSv1.2, >=TLSv1.2 and !TLSv1.3, and not '{word}'")
    return _NAMES[word.lower().removeprefix("0x")]


def _span(wanted: set[str], text: str) -> Versions:
    places = sorted(map(_VERSIONS.index, wanted))
    if not places:
        raise ValueError(f"leaves no version of TLS: '{text}'")
    if places[-1] - places[0] >= len(places):
        raise ValueError(f"leaves a hole between two versions of TLS, which cannot be had: '{text}'")
    highest = None if places[-1] == len(_VERSIONS) - 1 else _VERSIONS[places[-1]]
    return Versions(_VERSIONS[places[0]], highest)
