"""A regexp or pcre table: the first expression that a key matches decides. Never decides how long that may take."""

from collections import deque
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass

from ....expressions.scanner import Unknown
from ....expressions.search import TooLong, searched
from ..lines import logical_lines
from ..table import Flaw
from . import rules


def _nothing(_line: int) -> None:
    """Of whoever does not ask for it."""


@dataclass(frozen=True, slots=True)
class PatternTable:
    """Rules in their order."""

    flaws: tuple[Flaw, ...]
    rules: tuple[rules.Rule, ...]

    def get(self, key: bytes, late: Callable[[int], object] = _nothing) -> bytes | None:
        """Find the value of a whole key. late: as of walk()."""
        last = deque(self.walk(key, late), maxlen=1)
        return last[0] if last else None

    def walk(
        self, key: bytes, late: Callable[[int], object] = _nothing, skipped: Collection[int] = ()
    ) -> Iterator[bytes | None]:
        """Find the value of a whole key: None for each rule that is looked at, and at last the value, if there is one.

        late: is told the line of each rule whose search raises TooLong. It does not match, as in Postfix one beyond
        PCRE's match limit. skipped: lines of rules that do not match, either.
        """
        rules, capitals, position = self.rules, key.upper(), 0
        while position < len(rules):
            rule = rules[position]
            position += 1
            try:
                if skipped and rule.line in skipped:
                    raise TooLong
                found = searched(rule.find, capitals if rule.folds else key)
                holds = (found is None) == rule.is_negated
            except TooLong:
                found, holds = None, False
                if rule.line not in skipped:
                    late(rule.line)
            if rule.value is None:
                position = position if holds else rule.after
            elif holds:
                yield rule.value.filled(key, found)
                return
            yield None


def pattern_table(kind: str, text: bytes) -> PatternTable:
    """Read the source of a table. kind: ``regexp`` or ``pcre``. A rule that Postfix passes over is an error here."""
    reader = _Reader(kind)
    for number, line in logical_lines(text):
        reader.take(number, line)
    for begun in reader.blocks:
        begun.after = len(reader.rules)
        reader.flaws.append(Flaw(begun.line, "this if has no endif"))
    return PatternTable(tuple(reader.flaws), tuple(reader.rules))


class _Reader:
    """Rules as they are read. blocks: the ifs that are open. lost: ifs that are wrong, whose endif is none too many."""

    def __init__(self, kind: str) -> None:
        self._kind = kind
        self.rules: list[rules.Rule] = []
        self.flaws: list[Flaw] = []
        self.blocks: list[rules.Rule] = []
        self._lost = 0

    def take(self, number: int, line: bytes) -> None:
        """Read a line."""
        try:
            self._take(number, line)
        except Unknown as unknown:
            self._lost += rules.is_if(line)
            self.flaws.append(Flaw(number, str(unknown)))

    def _take(self, number: int, line: bytes) -> None:
        if line[:1].isspace():
            raise Unknown("a blank at its start continues a line, and there is none")
        if rules.is_endif(line):
            self._end_block()
            return
        read = rules.read(self._kind, number, line)
        self.flaws += [Flaw(number, warning, is_error=False) for warning in read.warnings]
        self.rules.append(read.rule)
        if read.rule.value is None:
            self.blocks.append(read.rule)

    def _end_block(self) -> None:
        if self.blocks:
            self.blocks.pop().after = len(self.rules)
        elif self._lost:
            self._lost -= 1
        else:
            raise Unknown("there is no if before this endif")
