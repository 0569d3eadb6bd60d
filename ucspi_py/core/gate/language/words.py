"""A list in the value of a parameter -> its words, each with its place (mystrtok.c, mystrtokq)."""

from collections.abc import Sequence
from typing import NamedTuple

#: Postfix: what stands between the words of a list.
SEPARATORS = ", \t\r\n"


class Word(NamedTuple):
    """One word of a list. where: the place that has it."""

    text: str
    where: str


class Fragment(NamedTuple):
    """A part of an expanded value. text: None = our name, which is known only when a client comes. where: its place."""

    text: str | None
    where: str


def split(fragments: Sequence[Fragment]) -> tuple[Word, ...]:
    """Split a list. What stands in braces is one word, also where these begin in the midst of one.

    Raises ValueError where our name is in it.
    """
    words: list[Word] = []
    letters, where, depth = list[str](), "", 0
    for fragment in fragments:
        for char in _text(fragment):
            if char in SEPARATORS and not depth:
                words += [Word("".join(letters), where)] if letters else []
                letters.clear()
                continue
            depth += (char == "{") - (char == "}" and depth > 0)
            where = where if letters else fragment.where
            letters.append(char)
    words += [Word("".join(letters), where)] if letters else []
    return tuple(words)


def joined(fragments: Sequence[Fragment]) -> str:
    """Join the parts of a value. Raises ValueError where our name is in it."""
    return "".join(map(_text, fragments))


def _text(fragment: Fragment) -> str:
    if fragment.text is None:
        raise ValueError("refers to $myhostname, which must be set for that")
    return fragment.text
