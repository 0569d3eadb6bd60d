"""The rules of a regexp or pcre table: ``/expression/flags value``, if and endif (dict_regexp.c, dict_pcre.c)."""

import re
from dataclasses import dataclass

from ....expressions import ere, pcre
from ....expressions.scanner import Translated, Unknown, said
from ....expressions.search import Find
from .replacement import Replacement, replacement

_IF = re.compile(rb"if(?![0-9A-Za-z])\s*", re.IGNORECASE)
_ENDIF = re.compile(rb"endif(?![0-9A-Za-z])\s*(.*)", re.IGNORECASE | re.DOTALL)
_NOTS = re.compile(rb"[!\s]*")
_FLAGS = re.compile(rb"\S*")
_KNOWN = {"regexp": b"im", "pcre": b"imsxAEX"}


@dataclass(slots=True)
class Rule:
    """An expression, and what it means that a key matches it.

    line: its number. find: looks for it in a key. folds: compare capitals with capitals. value:
    None = it is an if. after: where the block of an if ends.
    """

    line: int
    find: Find
    folds: bool
    is_negated: bool
    value: Replacement | None
    after: int = 0


@dataclass(slots=True)
class Read:
    """A rule that was read, and what may be wrong with it. warnings: sentences."""

    rule: Rule
    warnings: tuple[str, ...] = ()


def is_if(line: bytes) -> bool:
    """Whether a line begins a block, also one that is wrong."""
    return _IF.match(line) is not None


def is_endif(line: bytes) -> bool:
    """Whether a line ends a block. Raises Unknown for one that says more."""
    found = _ENDIF.fullmatch(line)
    if found and found[1]:
        raise Unknown("there is something behind endif")
    return found is not None


def read(kind: str, number: int, line: bytes) -> Read:
    """Read an if or a rule.

    kind: ``regexp`` or ``pcre``. number: of the line. Raises Unknown for whatever Postfix would pass over.
    """
    block = _IF.match(line)
    if not block and line[:1].isalnum():
        raise Unknown("it begins with no sign that could stand around an expression, and is neither if nor endif")
    is_negated, text, flags, rest = _parts(line, block.end() if block else 0)
    translated = _translated(kind, text, flags)
    expression = _compiled(translated)
    find = expression.match if translated.is_anchored else expression.search
    if block:
        if rest:
            raise Unknown(
                "there is something behind the expression of an if; what is in its block begins with no blank"
            )
        return Read(Rule(number, find, translated.folds, is_negated, None), _warnings(text, b"", flags, False))
    value = _value(rest, expression, is_negated)
    may_differ = kind == "regexp" and translated.is_ambiguous and value.most > 0
    warnings = _warnings(text, rest, flags, may_differ)
    return Read(Rule(number, find, translated.folds, is_negated, value), warnings)


def expression_and_value(line: bytes) -> tuple[bytes, bytes]:
    """Divide a rule: what stands between its signs, "" behind a ``!``, and its value, "" of an if and of an endif.

    Raises Unknown for a line that is none of these.
    """
    if is_if(line) or is_endif(line):
        return b"", b""
    is_negated, text, _, rest = _parts(line, 0)
    return b"" if is_negated else text, rest


def _parts(line: bytes, start: int) -> tuple[bool, bytes, bytes, bytes]:
    """Whether there is a !, the expression, its flags, and what stands behind them."""
    nots = _NOTS.match(line, start)
    begin = nots.end() if nots else start
    is_negated = line[start:begin].count(b"!") % 2 == 1
    sign = line[begin : begin + 1]
    if not sign:
        raise Unknown("there is no expression")
    end = begin + 1
    while end < len(line) and line[end : end + 1] != sign:
        end += 2 if line[end : end + 1] == b"\\" else 1
    if end >= len(line):
        raise Unknown(f"the expression does not end in '{said(sign)}' as it begins")
    flags = _FLAGS.match(line, end + 1)
    found = flags[0] if flags else b""
    return is_negated, line[begin + 1 : end], found, line[end + 1 + len(found) :].lstrip()


def _translated(kind: str, text: bytes, flags: bytes) -> Translated:
    unknown = flags.strip(_KNOWN[kind])
    if b"!" in flags:
        raise Unknown("/this/!/that/ is no longer known: use if !/that/ ... endif")
    if unknown:
        raise Unknown(f"'{said(unknown)}' is no flag that is translated; a value stands behind a blank")
    if b"\0" in text:
        raise Unknown("there is a zero byte")

    def is_on(letter: bytes, default: bool = False) -> bool:
        return default != (flags.count(letter) % 2 == 1)

    if kind == "regexp":
        return ere.translate(text, folds=is_on(b"i", True), by_lines=is_on(b"m"))
    switched = pcre.Flags(i=is_on(b"i", True), m=is_on(b"m"), s=is_on(b"s", True), x=is_on(b"x"))
    return pcre.translate(text, switched, is_anchored=is_on(b"A"), ends_only=is_on(b"E"))


def _compiled(translated: Translated) -> re.Pattern[bytes]:
    try:
        return re.compile(translated.expression, re.DOTALL)
    except (re.error, OverflowError, RecursionError) as error:
        raise Unknown(f"it cannot be translated: {error}") from None


def _value(text: bytes, expression: re.Pattern[bytes], is_negated: bool) -> Replacement:
    if not text:
        raise Unknown("there is no value behind the expression")
    value = replacement(text)
    if value.most and is_negated:
        raise Unknown("$1 stands behind an expression with ! and so for nothing")
    if value.most > expression.groups:
        raise Unknown(f"${value.most} stands behind an expression with {expression.groups} groups")
    return value


def _warnings(text: bytes, value: bytes, flags: bytes, may_differ: bool) -> tuple[str, ...]:
    found = []
    if may_differ:
        found.append("$1 may be shorter than in Postfix, which takes the longest alternative: put that first")
    if flags.count(b"i") % 2 and text != text.swapcase():
        found.append("the flag i makes capitals and small letters differ, which are the same without it")
    if b"X" in flags:
        found.append("the flag X means nothing")
    if re.search(rb"\s#", value):
        found.append("the # and what is behind it belong to the value")
    return tuple(found)
