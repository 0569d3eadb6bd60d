"""What every table can do, and what may be wrong with the source of one."""

from collections.abc import Iterable
from typing import NamedTuple, Protocol


class Flaw(NamedTuple):
    """Something that is wrong with a table's source.

    line: its number; 0 where the table has no lines. sentence: what is wrong, without the place. is_error: the table
    says something that is not what it seems to say, and is not used; else Postfix only warns of it, too.
    """

    line: int
    sentence: str
    is_error: bool = True


class Table(Protocol):
    """A table that has been read. flaws: in the order of the lines."""

    @property
    def flaws(self) -> tuple[Flaw, ...]:
        """What is wrong with its source."""

    def get(self, key: bytes) -> bytes | None:
        """Find the value of a key as a client sent it; None where there is none."""


def told(flaws: Iterable[Flaw]) -> str:
    """The first error among flaws as a sentence; "" = there is none."""
    return next((f"line {one.line}: {one.sentence}" if one.line else one.sentence for one in flaws if one.is_error), "")
