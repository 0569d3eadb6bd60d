"""Lint of lines that tcprules refuses: why it does. Never called for a line that it compiles."""

import re
from collections.abc import Callable

from ..errors import UnparsableLine
from ..rules import ipv6 as rules_ipv6
from ..rules.source import ipv6_line, line_records, network_rule
from .finding import MARK, Flaw, brief, markup_flaw
from .variable import is_no_quote, quoted

#: Quotes of word processors, in UTF-8 and as the bytes of Windows-1252, and what was typed.
_DOUBLE = "\u201c\u201d\u201e\u201f\u2033\u301d\u301e\uff02\u00ab\u00bb\udc84\udc93\udc94"
_SINGLE = "\u2018\u2019\u201a\u201b\u2032\udc91\udc92"
_CURLY = str.maketrans(dict.fromkeys(_DOUBLE, '"') | dict.fromkeys(_SINGLE, "'"))
_VERDICT = re.compile(rb"allow|deny")
_VARIABLE = re.compile(rb",([^=]*=)(.)(.*?)\2", re.DOTALL)
_NAME = re.compile(rb"[0-9_.-]*[A-Za-z][A-Za-z0-9_.-]*")
_SYNONYMS = dict.fromkeys((b"accept", b"permit", b"ok", b"pass"), b"allow") | dict.fromkeys(
    (b"reject", b"refuse", b"drop", b"block"), b"deny"
)


def is_refused(line: bytes) -> bool:
    """Whether a line is neither in djb's language nor a rule about a network or IPv6."""
    return not network_rule(line) and is_refused_by_djb(line)


def is_refused_by_djb(line: bytes) -> bool:
    """Whether djb's tcprules refuses a line."""
    try:
        line_records(line)
    except UnparsableLine:
        return True
    return False


def cause(line: bytes) -> Flaw:
    """Find why a line is refused, with the line that was meant, which may have flaws of its own."""
    start = len(MARK) if line.startswith(MARK) else 0
    text = line[start:].rstrip(b"\r\n \t")
    if not is_refused(text):
        return _wrapped(line, text)
    flaw = next(flaw for check in _CHECKS if (flaw := check(text)))
    return flaw._replace(offset=start + flaw.offset)


def _wrapped(line: bytes, text: bytes) -> Flaw:
    if line.startswith(MARK):
        return Flaw(0, "a byte order mark stands before the line", (text,))
    end = line.rindex(b"\r")
    return Flaw(end, "the line ends with a carriage return, as files from Windows have it", (text,))


def _curly_quotes(line: bytes) -> Flaw | None:
    text = line.decode("utf-8", "surrogateescape")
    typed = text.translate(_CURLY)
    if text == typed:
        return None
    where = next(where for where, char in enumerate(text) if char != typed[where])
    quote = text[where].encode("utf-8", "surrogateescape")
    offset = len(text[:where].encode("utf-8", "surrogateescape"))
    sentence = f'curly quotes ({brief(quote)}) are no quotes here; only straight ones (") are'
    return Flaw(offset, sentence, (typed.encode("utf-8", "surrogateescape"),))


def _markup(line: bytes) -> Flaw | None:
    return markup_flaw(line, "line")


def _indented_comment(line: bytes) -> Flaw | None:
    text = line.lstrip(b" \t")
    return Flaw(0, "a comment begins in column 1", (text,)) if text.startswith(b"#") else None


def _no_ipv6_address(line: bytes) -> Flaw | None:
    found = ipv6_line(line)
    if not found:
        return None
    where = len(found.user)
    try:
        network = rules_ipv6.network(found.address)
    except ValueError as wrong:
        return Flaw(where, str(wrong))
    if found.user and network.size > 1:
        return Flaw(where, "an ident rule knows single addresses")
    return None


def _no_verdict(line: bytes) -> Flaw | None:
    address, _, instructions = line.partition(b":")
    where = len(address) + 1
    if _VERDICT.match(instructions):
        return None
    text = instructions.lstrip(b" \t")
    word = re.match(rb"[A-Za-z]*", text)[0]  # type: ignore[index]  # it matches anything
    verdict = _SYNONYMS.get(word.lower(), word.lower())
    meant = (address + b":" + verdict + text[len(word) :],)
    if text != instructions and _VERDICT.fullmatch(word):
        return Flaw(where, f"a blank stands before {brief(word)}", meant)
    if verdict == word.lower() and _VERDICT.fullmatch(verdict):
        return Flaw(where, f"{brief(verdict)} is written in small letters", meant)
    return Flaw(where, f"behind the colon stands allow or deny, not {brief(text) or 'nothing'}", meant)


def _no_variables(line: bytes) -> Flaw | None:
    address, _, instructions = line.partition(b":")
    verdict = _VERDICT.match(instructions)
    end = verdict.end() if verdict else 0
    while variable := _VARIABLE.match(instructions, end):
        end = variable.end()
    rest = instructions[end:]
    if not rest:
        return None
    flaw = (_no_variable if rest.startswith(b",") else _no_comma)(instructions[:end], rest)
    before = address + b":"
    return Flaw(len(before) + end + flaw.offset, flaw.sentence, tuple(before + meant for meant in flaw.meant))


def _no_comma(before: bytes, rest: bytes) -> Flaw:
    text = rest.lstrip(b" \t")
    if text.startswith(b"#"):
        return Flaw(0, "a comment stands on a line of its own, with # in column 1", (before,))
    if text.startswith(b","):
        return Flaw(0, "a blank stands before the comma", (before + text,))
    return Flaw(0, f"behind {brief(before.rpartition(b',')[2])} stands a comma or nothing, not {brief(text)}")


def _no_variable(before: bytes, rest: bytes) -> Flaw:
    name, equals, value = rest[1:].partition(b"=")
    if not name:
        return Flaw(0, "nothing stands behind the comma", (before,))
    if not equals:
        return Flaw(1, f"the variable {brief(name)} has no value", (before + rest + b'=""',))
    if not value:
        return Flaw(len(rest), f"the variable {brief(name)} has no quoted value", (before + rest + b'""',))
    if is_no_quote(value[:1]):
        sentence = f"the value of {brief(name)} has no quotes"
        return Flaw(len(name) + 2, sentence, (before + b"," + name + b"=" + quoted(value),))
    sentence = f"the value of {brief(name)} has no {brief(value[:1])} at its end"
    return Flaw(len(name) + 2, sentence, (before + rest + value[:1],))


def _no_range(line: bytes) -> Flaw | None:
    address, _, instructions = line.partition(b":")
    if b"-" not in address:
        return None
    meant = (b"=" + address.lower() + b":" + instructions,) if _NAME.fullmatch(address) else ()
    sentence = "a - in an address is a range of numbers, and a host name begins with ="
    return Flaw(address.index(b"-"), sentence, meant)


def _anything(_line: bytes) -> Flaw:
    return Flaw(0, 'a rule is ADDRESS:allow or ADDRESS:deny, with ,VARIABLE="VALUE" behind')


_CHECKS: tuple[Callable[[bytes], Flaw | None], ...] = (
    _curly_quotes,
    _markup,
    _indented_comment,
    _no_ipv6_address,
    _no_verdict,
    _no_variables,
    _no_range,
    _anything,
)
