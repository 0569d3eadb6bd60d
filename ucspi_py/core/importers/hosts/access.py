"""hosts.allow and hosts.deny of TCP wrappers (hosts_access(5), hosts_options(5)) -> rules source."""

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from ..first_match import Entry, rules
from ..imported import EVERYBODY, Imported, Pattern, Unsaid, closed
from .options import instructions
from .pattern import clients, daemon

#: What a field is made of: anything but colons, and anything in brackets (misc.c, split_at).
_FIELD = re.compile(r"(?:[^:\[]|\[[^\]]*\]?)*")
_SEPARATORS = re.compile(r"[, \t\r\n]+")
#: What libwrap reads of a line, in bytes without the newline.
_LONGEST = 2046


class _Line(NamedTuple):
    where: str
    text: str
    verdict: bytes


class _Lines(NamedTuple):
    """The lines of a file up to one that libwrap cannot read, and that one."""

    lines: list[_Line]
    unreadable: _Line | None


def import_hosts(allow: str, deny: str, daemons: frozenset[str]) -> Imported:
    """Import the two files, either of which may be empty, as libwrap applies them.

    daemons: the names, in small letters, of programs whose lines count.
    """
    entries: list[Entry] = []
    unsaid: list[Unsaid] = []
    allowed, denied = _read(allow, b"allow"), _read(deny, b"deny")
    for line in allowed.lines + denied.lines:
        _take(line, daemons, entries, unsaid)
    if (allowed.lines or denied.lines) and not entries and not unsaid:
        unsaid.append(Unsaid("all lines", "the programs in them", f"none of them is {' or '.join(sorted(daemons))}"))
    for one in (allowed.unreadable, denied.unreadable):
        if one:
            unsaid.append(Unsaid(one.where, one.text, _unreadable(one.verdict)))
    if denied.unreadable:
        entries.append(Entry(b"deny", ((EVERYBODY,),), denied.unreadable.where))
    found = rules(entries)
    return Imported(found.lines, (*unsaid, *found.unsaid))


def _unreadable(verdict: bytes) -> str:
    what = "it ends without a newline or is too long"
    if verdict == b"deny":
        return f"{what}: libwrap denies whom no line before it is about"
    return f"{what}: libwrap reads no further in this file"


def _read(text: str, verdict: bytes) -> _Lines:
    lines: list[_Line] = []
    for number, line, is_whole in _logical(text):
        found = _Line(f"hosts.{verdict.decode()} line {number}", line.strip(), verdict)
        if not is_whole or len(line.encode("utf-8", "surrogateescape")) > _LONGEST:
            return _Lines(lines, found._replace(text=found.text[:60]))
        if line.strip(" \t\r") and not line.startswith("#"):
            lines.append(found)
    return _Lines(lines, None)


def _logical(text: str) -> Iterator[tuple[int, str, bool]]:
    """The lines with their numbers, continued ones as one, and whether they have their newline."""
    begun, parts = 1, ""
    *lines, rest = text.split("\n")
    for number, line in enumerate(lines, 1):
        if line.endswith("\\"):
            parts += line[:-1]
            continue
        yield begun, parts + line, True
        begun, parts = number + 1, ""
    if parts or rest:
        yield begun, parts + rest, False


def _take(line: _Line, daemons: frozenset[str], entries: list[Entry], unsaid: list[Unsaid]) -> None:
    programs, colon, rest = _field(line.text)
    if not colon:
        unsaid.append(Unsaid(line.where, line.text, "there is no client in it"))
        return
    who, colon, options = _field(rest)
    surely, perhaps = _concerns(_lists(programs), daemons)
    if not perhaps:
        return
    said = instructions(line.verdict, options if colon else None)
    unsaid += [Unsaid(line.where, *one) for one in said.lost]
    if not surely:
        becomes = "taken as one about every server" if said.instructions == b"deny" else "left out"
        unsaid.append(Unsaid(line.where, programs, f"rules know no servers or ports: {becomes}"))
    lists = [[clients(word) for word in words] for words in _lists(who)]
    for words, patterns in zip(_lists(who), lists, strict=True):
        unsaid += [Unsaid(line.where, *one) for one in _odd(words, patterns)]
    if surely or said.instructions == b"deny":
        entries.append(Entry(said.instructions, closed(said.instructions, lists), line.where))


def _field(text: str) -> tuple[str, str, str]:
    """The first field, its colon or nothing, and the rest."""
    found = _FIELD.match(text)
    end = found.end() if found else 0
    return text[:end], text[end : end + 1], text[end + 1 :]


def _odd(words: Sequence[str], patterns: Sequence[Pattern]) -> Iterator[tuple[str, str]]:
    return ((word, pattern.why) for word, pattern in zip(words, patterns, strict=True) if pattern.why)


def _lists(text: str) -> list[list[str]]:
    """``a b EXCEPT c EXCEPT d`` -> its lists, each but the first excepted from what stands before it."""
    lists: list[list[str]] = [[]]
    for word in _SEPARATORS.split(text):
        if word.upper() == "EXCEPT":
            lists.append([])
        elif word:
            lists[-1].append(word)
    return lists


def _concerns(lists: Sequence[Sequence[str]], daemons: frozenset[str]) -> tuple[bool, bool]:
    """Whether a daemon list is surely about one of the daemons, and whether it may be."""
    if not lists:
        return False, False
    found = [daemon(word, one) for word in lists[0] for one in daemons]
    surely, perhaps = (any(one) for one in zip(*found, strict=True)) if found else (False, False)
    except_surely, except_perhaps = _concerns(lists[1:], daemons)
    return surely and not except_perhaps, perhaps and not except_surely
