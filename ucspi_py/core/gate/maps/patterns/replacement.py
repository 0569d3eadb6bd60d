"""What stands behind an expression, with ``$1`` in it (mac_parse.c). Never uses re.expand, which reads backslashes."""

import re
from typing import NamedTuple

from ....expressions.scanner import Unknown, said

_DOLLAR = re.compile(rb"\$(?:(\$)|\{([0-9]+)\}|\(([0-9]+)\)|([0-9]+)(?![A-Za-z0-9_]))?")


class Replacement(NamedTuple):
    """A text. pieces: bytes as they are, and numbers of groups."""

    pieces: tuple[bytes | int, ...]

    @property
    def most(self) -> int:
        """The highest group in it; 0 = there is none."""
        return max((piece for piece in self.pieces if isinstance(piece, int)), default=0)

    @property
    def text(self) -> bytes:
        """The text with ``$1`` as it is written, as ``${1}``."""
        return b"".join(piece if isinstance(piece, bytes) else b"${%d}" % piece for piece in self.pieces)

    def filled(self, key: bytes, found: re.Match[bytes] | None) -> bytes:
        """Put in what the groups are. key: as the client sent it. A group that took no part is empty."""
        if found is None:
            return b"".join(piece for piece in self.pieces if isinstance(piece, bytes))
        return b"".join(
            piece if isinstance(piece, bytes) else key[slice(*found.span(piece))] if found.start(piece) >= 0 else b""
            for piece in self.pieces
        )


def replacement(text: bytes) -> Replacement:
    """Read ``$1``, ``${1}``, ``$(1)`` and ``$$``. Raises Unknown for any other dollar."""
    pieces, end = list[bytes | int](), 0
    for found in _DOLLAR.finditer(text):
        number = found[2] or found[3] or found[4]
        if not (found[1] or (number and int(number[:6]))):
            raise Unknown(f"'{said(text[found.start() :])}' is no $1; a dollar is written $$")
        pieces += [text[end : found.start()], int(number[:6]) if number else b"$"]
        end = found.end()
    return Replacement(tuple(piece for piece in (*pieces, text[end:]) if piece != b""))
