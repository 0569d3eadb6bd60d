"""One line of rules source -> everything wrong with it. Never knows the lines around it."""

import re
from collections.abc import Iterator

from .lint_address import address_flaw
from .lint_finding import Finding, Flaw, finding
from .lint_relay import relay_flaw, variable_flaws
from .lint_syntax import cause, is_refused, is_refused_by_djb
from .rules_source import NetworkRule, network_rule

_ADDRESS_FIRST = re.compile(rb"[ \t]*([^ \t]*?)[ \t=;,]*\b(allow|deny)\b(.*)", re.DOTALL | re.IGNORECASE)
_VERDICT_FIRST = re.compile(rb"[ \t]*(allow|deny)[ \t]+([^ \t]+)", re.IGNORECASE)


def line_findings(number: int, line: bytes) -> Iterator[Finding]:
    """Yield what is wrong with a line. number: of the line, from 1."""
    line = line.rstrip(b"\n \t")
    if line.startswith(b"#") or not line.strip(b" \t\r"):
        return
    rule = network_rule(line)
    if rule is None and is_refused_by_djb(line):
        yield finding(number, line, cause(line), error=True)
    elif b":" in line:
        for flaw in _rule_flaws(line, rule):
            yield finding(number, line, flaw)
    elif not line.lstrip(b" \t").startswith(b"#"):
        yield finding(number, line, Flaw(0, "a line without a colon is passed over", _with_colon(line)))


def _rule_flaws(line: bytes, rule: NetworkRule | None) -> Iterator[Flaw]:
    address = rule.address if rule else line.partition(b":")[0]
    before = address + b":"
    instructions = line[len(before) :]
    flaw = None if rule else address_flaw(address)
    if flaw:
        yield flaw._replace(meant=tuple(meant + b":" + instructions for meant in flaw.meant))
    for flaw in variable_flaws(instructions):
        meant = tuple(before + one for one in flaw.meant if not is_refused(before + one))
        yield Flaw(len(before) + flaw.offset, flaw.sentence, meant)
    flaw = relay_flaw(address, rule.network if rule else None, instructions)
    if flaw:
        yield flaw


def _with_colon(line: bytes) -> tuple[bytes, ...]:
    """The rule that a line without a colon was meant to be, where that can be told."""
    if found := _VERDICT_FIRST.fullmatch(line):
        verdict, address = found[1], found[2]
        meant = address + b":" + verdict.lower()
    elif found := _ADDRESS_FIRST.fullmatch(line):
        meant = found[1] + b":" + found[2].lower() + found[3].rstrip()
    else:
        return ()
    return () if is_refused(meant) or address_flaw(meant.partition(b":")[0]) else (meant,)
