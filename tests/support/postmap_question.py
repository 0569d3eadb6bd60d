"""A lookup table that postmap and the gate are asked about."""

from typing import NamedTuple


class Question(NamedTuple):
    """A table and keys to ask it for. kind: of the table. source: its text."""

    kind: str
    source: bytes
    keys: tuple[bytes, ...]
