"""cidr tables: the first network around an address decides (cidr_table(5), dict_cidr.c, cidr_match.c)."""

import ipaddress
import re
from dataclasses import dataclass

from ...importers.postfix.lines import network
from .lines import logical_lines
from .table import Flaw

_IF = re.compile(rb"if(?![0-9A-Za-z])([!\s]*)(.*)", re.IGNORECASE | re.DOTALL)
_ENDIF = re.compile(rb"endif(?![0-9A-Za-z])\s*(.*)", re.IGNORECASE | re.DOTALL)
_RULE = re.compile(rb"([!\s]*)(\S*)\s*(.*)", re.DOTALL)
#: No text of an address has more characters.
_LONGEST = 45


@dataclass(slots=True)
class _Rule:
    """One rule.

    first, end: the numbers of the addresses. value: None = it is an if. after: where its block ends. line: its number.
    """

    bits: int
    first: int
    end: int
    is_negated: bool
    value: bytes | None
    after: int = 0
    line: int = 0

    def holds(self, bits: int, number: int) -> bool:
        return bits == self.bits and (self.first <= number < self.end) != self.is_negated


class CidrTable:
    """Rules in their order. Where none is an if or has a !, their networks are found by the lengths that occur."""

    def __init__(self, flaws: tuple[Flaw, ...], rules: list[_Rule]) -> None:
        self.flaws = flaws
        self.rules = rules
        self._positions: dict[tuple[int, int], dict[int, int]] = {}
        self._is_plain = not any(rule.is_negated or rule.value is None for rule in rules)
        for position, rule in enumerate(rules):
            shift = (rule.end - rule.first).bit_length() - 1
            self._positions.setdefault((rule.bits, shift), {}).setdefault(rule.first >> shift, position)

    def get(self, key: bytes) -> bytes | None:
        """Find the value of an address; any other text has none."""
        bits, number = _address(key)
        return self._plain(bits, number) if self._is_plain else self._by_turns(bits, number)

    def _plain(self, bits: int, number: int) -> bytes | None:
        known = (at.get(number >> shift) for (family, shift), at in self._positions.items() if family == bits)
        first = min((position for position in known if position is not None), default=None)
        return None if first is None else self.rules[first].value

    def _by_turns(self, bits: int, number: int) -> bytes | None:
        position = 0
        while bits and position < len(self.rules):
            rule = self.rules[position]
            position += 1
            if rule.value is None:
                position = position if rule.holds(bits, number) else rule.after
            elif rule.holds(bits, number):
                return rule.value
        return None


def cidr_table(text: bytes) -> CidrTable:
    """Read the source of a cidr table. A rule that Postfix passes over is an error here: it may be a REJECT."""
    reader = _Reader()
    for number, line in logical_lines(text):
        sentence = reader.take(line, number)
        if sentence:
            reader.flaws.append(Flaw(number, sentence))
    for begun, rule in reader.blocks:
        rule.after = len(reader.rules)
        reader.flaws.append(Flaw(begun, "this if has no endif"))
    return CidrTable(tuple(reader.flaws), reader.rules)


class _Reader:
    """Rules as they are read. blocks: the ifs that are open, each with its line."""

    def __init__(self) -> None:
        self.rules: list[_Rule] = []
        self.flaws: list[Flaw] = []
        self.blocks: list[tuple[int, _Rule]] = []

    def take(self, line: bytes, number: int) -> str:
        """Read a line -> what is wrong with it, "" = nothing."""
        block, end = _IF.fullmatch(line), _ENDIF.fullmatch(line)
        if end:
            return self._end_block(end[1])
        found = block or _RULE.fullmatch(line)
        if line[:1].isspace() or not found:
            return "a blank at its start continues a line, and there is none"
        value = None if block else found[3]
        rule = _rule(found[1].count(b"!") % 2 == 1, found[2].rstrip(), value)
        if isinstance(rule, str):
            return rule
        rule.line = number
        self.rules.append(rule)
        if block:
            self.blocks.append((number, rule))
        return "there is a network and no value behind it" if value == b"" else ""

    def _end_block(self, rest: bytes) -> str:
        if rest:
            return "there is something behind endif"
        if not self.blocks:
            return "there is no if before this endif"
        self.blocks.pop()[1].after = len(self.rules)
        return ""


def _rule(is_negated: bool, pattern: bytes, value: bytes | None) -> _Rule | str:
    text = pattern.decode("ascii", "backslashreplace")
    found = network(text)
    if isinstance(found, str):
        return f"{text}: {found}"
    return _Rule(found.bits, found.base, found.end, is_negated, value)


def _address(key: bytes) -> tuple[int, int]:
    """Its bits and number, as inet_pton(3) reads it; 0 bits where it is no address."""
    if len(key) > _LONGEST or b"%" in key:
        return 0, 0
    text = key.decode("ascii", "replace")
    try:
        return (128, int(ipaddress.IPv6Address(text))) if ":" in text else (32, int(ipaddress.IPv4Address(text)))
    except ValueError:
        return 0, 0
