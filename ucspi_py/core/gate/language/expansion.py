"""``$name`` in the value of a parameter (postconf(5), main.cf). Never knows what a parameter means."""

import re
from collections.abc import Mapping
from difflib import get_close_matches

#: A text in the pieces between which a name stands that is known only when a client comes.
Pieces = tuple[str, ...]
#: Nothing but that name.
OUR_NAME: Pieces = ("", "")

_DOLLAR = re.compile(r"\$(?:(\$)|(\w+)|\{\s*(\w+)\s*\}|\(\s*(\w+)\s*\)|(\{[^{}]*\}|.?))", re.ASCII | re.DOTALL)


class Expansion:
    """Values with all their ``$name`` replaced.

    texts: of every parameter its value, or its default; None where it is not known before a client comes. our_name: the
    one of these that may stand in a text nevertheless.
    """

    def __init__(self, texts: Mapping[str, str | None], our_name: str) -> None:
        self._texts = texts
        self._our_name = our_name

    def of(self, name: str, above: tuple[str, ...] = ()) -> Pieces:
        """Expand the value of a parameter. above: those in whose values it stands.

        Raises ValueError with what is wrong: an unknown name, a loop, or more than ``$name``.
        """
        if name in above:
            raise ValueError(f"refers to itself by ${name}")
        text = self._texts.get(name)
        if text is None and name == self._our_name:
            return OUR_NAME
        if text is None:
            raise ValueError(f"refers to ${name}, {self._unset(name)}")
        pieces: Pieces = ("",)
        position = 0
        for found in _DOLLAR.finditer(text):
            pieces = _joined(pieces, (text[position : found.start()],))
            pieces = _joined(pieces, self._meaning(found, (*above, name)))
            position = found.end()
        return _joined(pieces, (text[position:],))

    def _meaning(self, found: re.Match[str], above: tuple[str, ...]) -> Pieces:
        dollar, *names, other = found.groups()
        if dollar:
            return ("$",)
        if other is not None:
            raise ValueError(f"takes $name and ${{name}}, and '{found[0]}' is neither")
        return self.of(next(filter(None, names)), above)

    def _unset(self, name: str) -> str:
        return "which is not set here" if name in self._texts else f"and {unknown(name, self._texts)}"


def unknown(name: str, known: Mapping[str, object]) -> str:
    """The sentence for a name that is none of the known ones, with the nearest of these."""
    nearest = get_close_matches(name, known, 1)
    return f"there is no parameter {name}" + (f"; the nearest is {nearest[0]}" if nearest else "")


def _joined(first: Pieces, second: Pieces) -> Pieces:
    return (*first[:-1], first[-1] + second[0], *second[1:])
