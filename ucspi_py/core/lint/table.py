"""Lint of rules that never decide because of other rules. Never judges a line by itself."""

import re
from collections.abc import Iterator, Sequence

from ..errors import UnparsableLine
from ..rules import cidr as rules_cidr
from ..rules.cidr import Network
from ..rules.source import line_records, network_rule
from .finding import Finding, brief

_OCTET = rb"(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
_PREFIX = re.compile(rb"(?:%b\.){1,3}|(?:%b\.){3}%b" % (_OCTET, _OCTET, _OCTET))
#: Every client: rules that cover both leave nothing to the default rule.
_EVERYTHING = (Network(32, 0, 0), Network(128, 0, 0))

#: What a rule decides about: a network, or what stands under a key that is none.
_Subject = Network | bytes


def table_findings(rules: Sequence[tuple[int, bytes]]) -> Iterator[Finding]:
    """Find the rules that never decide, because an earlier rule or more specific ones always do.

    rules: the number, from 1, and the line of each, in order; where there is no colon, the line is an address.
    """
    said: dict[_Subject, int] = {}
    for number, line in rules:
        subjects = _subjects(line)
        dead: dict[int, list[_Subject]] = {}
        for subject in subjects:
            earlier = said.setdefault(subject, number)
            if earlier != number:
                dead.setdefault(earlier, []).append(subject)
        for earlier, repeated in dead.items():
            about = _about(line) if len(repeated) == len(subjects) else _about_some(repeated)
            yield Finding(number, 1, f"line {earlier} decides about {about}")
    yield from _shadowed(rules, said)


def _about(line: bytes) -> str:
    return f"{_address(line) or 'the default'} already, so this line never does"


def _about_some(repeated: list[_Subject]) -> str:
    """A part of a range; so each subject is one key of djb's."""
    first = repeated[0]
    key = rules_cidr.keys(first)[0] if isinstance(first, Network) else first
    others = f" and {len(repeated) - 1} more" if len(repeated) > 1 else ""
    return f"{brief(key)}{others} already, so this line does not"


def _shadowed(rules: Sequence[tuple[int, bytes]], said: dict[_Subject, int]) -> Iterator[Finding]:
    covered = _covered({subject for subject in said if isinstance(subject, Network)})
    alive = {number for subject, number in said.items() if subject not in covered}
    dead = {said[subject] for subject in covered if subject in said} - alive
    for number, line in rules:
        if number in dead:
            about = f"every address of {address}" if (address := _address(line)) else "every address"
            yield Finding(number, 1, f"{about} has a more specific rule, so this line never decides")


def _covered(networks: set[Network]) -> set[_Subject]:
    """The networks in which narrower ones leave nothing; with b"", the default rule, where nothing at all is left.

    Networks lie inside each other or apart, so sorted ones are a walk through their tree.
    """
    inside = dict.fromkeys([*_EVERYTHING, *networks], 0)
    around: list[Network] = []
    for network in sorted(inside):
        while around and (around[-1].bits < network.bits or around[-1].end <= network.base):
            around.pop()
        if around:
            inside[around[-1]] += network.size
        around.append(network)
    covered: set[_Subject] = {network for network in networks if inside[network] == network.size}
    if all(whole in networks or inside[whole] == whole.size for whole in _EVERYTHING):
        covered.add(b"")
    return covered


def _subjects(line: bytes) -> list[_Subject]:
    if b":" not in line:
        keys = [line]
    elif rule := network_rule(line):
        return list(rule.keys) if rule.user else [rule.network]
    else:
        try:
            keys = [key for key, _ in line_records(line)]
        except UnparsableLine:
            keys = []
    return [subject for key in keys if (subject := _subject(key)) is not None]


def _subject(key: bytes) -> _Subject | None:
    """What is stored under a key of djb's; None where no client ever asks for it."""
    if _PREFIX.fullmatch(key):
        octets = bytes(map(int, key.removesuffix(b".").split(b".")))
        return Network(32, int.from_bytes(octets.ljust(4, b"\0"), "big"), 8 * len(octets))
    return key if not key or b"=" in key or b"@" in key else None


def _address(line: bytes) -> str:
    rule = network_rule(line)
    return brief(rule.address if rule else line.partition(b":")[0])
