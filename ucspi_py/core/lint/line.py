"""One line of rules source -> everything wrong with it. Never knows the lines around it."""

import re
from collections.abc import Iterator

from ..rules.source import NetworkRule, network_rule
from .address import address_flaw
from .finding import Finding, Flaw, finding
from .network import nobody_flaw
from .relay import relay_flaw
from .syntax import cause, is_refused_by_djb
from .variable import variable_flaws

_VERDICT = re.compile(rb"\b(?:allow|deny)\b", re.IGNORECASE)
_VERDICT_FIRST = re.compile(rb"[ \t]*(allow|deny)[ \t]+([^ \t]+)", re.IGNORECASE)
#: Odd variables of a line that are reported one by one.
_VARIABLES = 5
#: A line that was meant has so many flaws of its own at most that are put right, and becomes so many lines at most.
_REPAIRS, _MEANT = 10, 4


def line_findings(number: int, line: bytes) -> Iterator[Finding]:
    """Lint one line: yield what is wrong with it, the first things first. number: of the line, from 1."""
    line = line.rstrip(b"\n \t")
    for flaw in _flaws(line):
        yield finding(number, line, flaw._replace(meant=_without_flaws(flaw.meant)))


def _without_flaws(meant: tuple[bytes, ...], repairs: int = _REPAIRS) -> tuple[bytes, ...]:
    """Lines that were meant, with their own flaws put right; nothing where that cannot be done for all of them."""
    right: list[bytes] = []
    for line in meant:
        flaw = next(_flaws(line), None)
        better = (line,) if flaw is None else _without_flaws(flaw.meant, repairs - 1) if repairs else ()
        right += better
        if not better or len(right) > _MEANT:
            return ()
    return tuple(right)


def _flaws(line: bytes) -> Iterator[Flaw]:
    """Yield what is wrong with a line, the first things first; what was meant instead may have flaws of its own."""
    if line.startswith(b"#") or not line.strip(b" \t\r"):
        return
    rule = network_rule(line)
    if rule is None and is_refused_by_djb(line):
        yield cause(line)._replace(error=True)
    elif b":" in line:
        yield from _rule_flaws(line, rule)
    elif not line.lstrip(b" \t").startswith(b"#"):
        yield Flaw(0, "a line without a colon is passed over", _with_colon(line))


def _rule_flaws(line: bytes, rule: NetworkRule | None) -> Iterator[Flaw]:
    address = rule.address if rule else line.partition(b":")[0]
    before = address + b":"
    instructions = line[len(before) :]
    flaw = nobody_flaw(rule.address, rule.network) if rule else address_flaw(address)
    if flaw:
        yield flaw._replace(meant=tuple(meant + b":" + instructions for meant in flaw.meant))
    for count, flaw in enumerate(variable_flaws(instructions)):
        if count == _VARIABLES:
            yield Flaw(len(before) + flaw.offset, "something is wrong with more variables of this line")
            break
        yield Flaw(len(before) + flaw.offset, flaw.sentence, tuple(before + one for one in flaw.meant))
    flaw = relay_flaw(address, rule.network if rule else None, instructions)
    if flaw:
        yield flaw


def _with_colon(line: bytes) -> tuple[bytes, ...]:
    """Guess the rule that a line without a colon was meant to be; empty where there is no guess."""
    if found := _VERDICT_FIRST.fullmatch(line):
        return _if_address(found[2], found[1].lower())
    found = _VERDICT.search(line)
    if not found:
        return ()
    address = line[: found.start()].lstrip(b" \t").rstrip(b" \t=;,")
    return _if_address(address, found[0].lower() + line[found.end() :].rstrip())


def _if_address(address: bytes, instructions: bytes) -> tuple[bytes, ...]:
    return () if b" " in address or b"\t" in address or address_flaw(address) else (address + b":" + instructions,)
