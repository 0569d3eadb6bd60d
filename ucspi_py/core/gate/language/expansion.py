"""``$name`` in the value of a parameter (mac_parse.c, mac_expand.c). Never knows what a parameter means."""

import operator
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from difflib import get_close_matches
from itertools import pairwise
from typing import Any

from .syntax import Source
from .values import level
from .words import Fragment, joined

#: mac_expand.c gives up at 100 levels; this limit on all references of one value is ours.
_DEPTH_LIMIT, _REFERENCE_LIMIT = 100, 10_000
#: How like each other names are of which one is a slip for the other: of smtpd_process_limit nothing is.
_NEAR = 0.8
_NAME = re.compile(r"[A-Za-z0-9_]*")
#: The head of ``${...}``: a name, and what of a condition may follow it.
_HEAD = re.compile(r"[ \t\r\n]*([A-Za-z0-9_]*)[ \t\r\n]*([?:]|\Z)")
_OPERATOR = re.compile(r"[ \t\r\n]*([<>!=?+\-*/~&|%]*)([A-Za-z0-9]*)[ \t\r\n]*")
_BRACE = re.compile(r"[ \t\r\n]*(?=\{)")
_BLANKS = re.compile(r"[ \t\r\n]*")
_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "==": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le, ">=": operator.ge, ">": operator.gt
}  # fmt: skip


class Expansion:
    """Values with all their ``$name`` replaced.

    values: of every parameter its value, or its default; None where it is not known before a client comes. our_name:
    the one of these that may stand in a text nevertheless. known: all names that there are, for the nearest of them.
    """

    def __init__(self, values: Mapping[str, Source | None], our_name: str, known: Collection[str] = ()) -> None:
        self._values = values
        self._our_name = our_name
        self._known = {*values, *known}
        self._left = 0

    def of(self, name: str) -> tuple[Fragment, ...]:
        """Expand the value of a parameter.

        Raises ValueError with what is wrong: an unknown name, a loop, or what is no reference.
        """
        self._left = _REFERENCE_LIMIT
        return tuple(self._looked_up(name, (), 0))

    def _looked_up(self, name: str, above: tuple[str, ...], depth: int) -> Iterator[Fragment]:
        """above: the parameters in whose values it stands."""
        if name in above:
            raise ValueError(f"refers to itself by ${name}")
        value = self._values.get(name)
        if value is not None:
            yield from self._expanded(value, (*above, name), depth + 1)
        elif name == self._our_name:
            yield Fragment(None, "")
        else:
            raise ValueError(f"refers to ${name}, {self._unset(name)}")

    def _expanded(self, source: Source, above: tuple[str, ...], depth: int) -> Iterator[Fragment]:
        """mac_parse: literal text, ``$$``, ``$name``, ``${...}``, ``$(...)``."""
        if depth > _DEPTH_LIMIT:
            raise ValueError(f"refers to others through more than {_DEPTH_LIMIT} levels")
        text, position = source.text, 0
        while (dollar := text.find("$", position)) >= 0:
            yield from _literal(source, position, dollar)
            position = dollar + 1
            if text.startswith("$", position):
                yield Fragment("$", source.where(dollar))
                position += 1
                continue
            inner, position = _reference(source, position)
            yield from self._expression(inner, above, depth)
        yield from _literal(source, position, len(text))

    def _expression(self, source: Source, above: tuple[str, ...], depth: int) -> Iterator[Fragment]:
        self._left -= 1
        if self._left < 0:
            raise ValueError(f"has more than {_REFERENCE_LIMIT} references to others")
        if _BRACE.match(source.text):
            is_so, position = self._relation(source, above, depth)
            if position == len(source.text):
                yield from [Fragment("true", source.where())] if is_so else []
                return
        else:
            head = _HEAD.match(source.text)
            if not head:
                raise ValueError(f"takes $name and ${{name}}, and '{source.text}' is no name")
            if not head[2]:
                yield from self._looked_up(head[1], above, depth)
                return
            is_so, position = self._is_set(head[1]), head.start(2)
        yield from self._expanded(_branch(source, position, is_so), above, depth + 1)

    def _is_set(self, name: str) -> bool:
        """Whether there is a text before anything in it is replaced, as in Postfix."""
        value = self._values.get(name)
        return name == self._our_name if value is None else bool(value.text)

    def _relation(self, source: Source, above: tuple[str, ...], depth: int) -> tuple[bool, int]:
        """``{left} < {right}`` -> whether it is so, and the index behind it."""
        left, position = _braced(source, 0)
        found = _OPERATOR.match(source.text, position)
        if not found or found[1] not in _COMPARE or found[2] not in ("", "level"):
            raise ValueError(f"takes == != < <= >= > and these with level, and not '{source.text[position:]}'")
        right, position = _braced(source, found.end())
        texts = [joined(tuple(self._expanded(one, above, depth + 1))) for one in (left, right)]
        values: list[object] = [level(text) for text in texts] if found[2] else _comparable(*texts)
        return _COMPARE[found[1]](*values), position

    def _unset(self, name: str) -> str:
        """Why there is no value; a name that is like none of Postfix's is one of the operator's own."""
        if name in self._known:
            return "which is not set here: set it"
        return f"and {unknown(name, self._known, f'; set it, if only to nothing: {name} =')}"


def unknown(name: str, known: Collection[str], otherwise: str = "; leave it out") -> str:
    """The sentence for a name that is none of the known ones, with the nearest of these. otherwise: if none is near."""
    nearest = get_close_matches(name, sorted(known), 1, _NEAR)
    return f"there is no parameter {name}" + (f"; the nearest is {nearest[0]}" if nearest else otherwise)


def _comparable(left: str, right: str) -> list[object]:
    """Numbers where both are digits, else texts by their bytes."""
    if all(text.isascii() and text.isdigit() for text in (left, right)):
        return [int(left), int(right)]
    return [text.encode("utf-8", "surrogateescape") for text in (left, right)]


def _literal(source: Source, start: int, end: int) -> Iterator[Fragment]:
    """A part for each line of the file."""
    edges = [start, *(edge for edge in source.starts if start < edge < end), end]
    for first, last in pairwise(edges):
        if first < last:
            yield Fragment(source.text[first:last], source.where(first))


def _reference(source: Source, start: int) -> tuple[Source, int]:
    """What stands behind a dollar, without brackets, and the index behind it."""
    text = source.text
    if text[start : start + 1] not in ("{", "("):
        name = _NAME.match(text, start)
        end = name.end() if name else start
        inner, after = source.cut(start, end), end
    else:
        inner, after = _bracketed(source, start)
    if not inner.text:
        raise ValueError(f"takes $name and ${{name}}, and '${text[start:after]}' is neither")
    return inner, after


def _bracketed(source: Source, start: int) -> tuple[Source, int]:
    """What stands in brackets that begin at an index, and the index behind these."""
    opening = source.text[start]
    closing = {"{": "}", "(": ")"}[opening]
    depth = 0
    for at in range(start, len(source.text)):
        depth += (source.text[at] == opening) - (source.text[at] == closing)
        if not depth:
            return source.cut(start + 1, at), at + 1
    raise ValueError(f"has no {closing} for '{source.text[start:]}'")


def _braced(source: Source, start: int) -> tuple[Source, int]:
    """What stands in braces, and the index behind these and the blanks after them."""
    brace = _BRACE.match(source.text, start)
    if not brace:
        raise ValueError(f"takes a {{text}} in braces, and not '{source.text[start:]}'")
    inner, after = _bracketed(source, brace.end())
    blanks = _BLANKS.match(source.text, after)
    return inner, blanks.end() if blanks else after


def _branch(source: Source, position: int, is_so: bool) -> Source:
    """Of ``?{yes}:{no}``, ``?yes`` or ``:no`` at an index what is meant; an empty text where nothing is."""
    nothing = source.cut(0, 0)
    sign = source.text[position]
    if sign not in "?:":
        raise ValueError(f"takes ? or : behind a condition, and not '{source.text[position:]}'")
    if not _BRACE.match(source.text, position + 1):
        return source.cut(position + 1, len(source.text)) if is_so == (sign == "?") else nothing
    first, after = _braced(source, position + 1)
    rest = source.text[after:]
    if not rest:
        return first if is_so == (sign == "?") else nothing
    if sign == ":" or not rest.startswith(":"):
        raise ValueError(f"takes {{yes}}:{{no}} behind a condition, and not '{rest}'")
    second = _branch(source, after, is_so=False)
    return first if is_so else second
